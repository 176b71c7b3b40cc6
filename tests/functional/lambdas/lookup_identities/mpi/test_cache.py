"""Cache of MPI answers: they expire, and a change of the patient deletes them."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.aws.items import from_item
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import (
    DependencyUnavailableError,
    IdentityConflictError,
    IdentityNotFoundError,
)
from lambdas.common.keys import KeyRing
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.mpi import cache
from lambdas.registry.records import Match, PatientRecord
from tests.functional.lambdas.lookup_identities.conftest import RunStep
from tests.functional.lambdas.lookup_identities.world import EVENT_ID, OKAFOR, northgen
from tests.support.contexts import FunctionSandbox
from tests.support.private import without_digests

pytestmark = pytest.mark.usefixtures("registry")

OKAFOR_THERE = Match(PatientRecord("p-okafor", "Okafor", "Amara", "1958-02-14", "F"), ("PID-3",))


class StubMpi:
    """An index outside; `asked` counts, `answer` may be changed, `meanwhile` happens before it answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Match | None = OKAFOR_THERE
        self.meanwhile: Callable[[], object] = lambda: None

    def find(self, usable: object, patient: Patient) -> Match | None:
        self.asked += 1
        answer = self.answer
        self.meanwhile()
        return answer

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, sandbox: FunctionSandbox[LookupContext]) -> StubMpi:
    monkeypatch.setenv("ENS_MPI_CLIENT", "pixpdq")
    monkeypatch.setenv("ENS_MPI_SETTINGS", "{}")
    running = StubMpi()
    sandbox.context.__dict__["mpi_client"] = running
    return running


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr("lambdas.lookup_identities.mpi.cache.time.time", lambda: moment)


def changed(*values: str, trigger: str = "A40", others: tuple[str, ...] = ()) -> PatientEvent:
    return replace(
        OKAFOR,
        event_id="f" * 32,
        trigger_event=trigger,
        event_kind=EventKind.NONE,
        notifiable=False,
        changes_identity=True,
        patient=Patient(identifiers=tuple(map(northgen, values))),
        other_identifiers=tuple(replace(northgen(value), field="MRG-1") for value in others),
    )


def test_the_same_question_is_asked_once_and_tells_the_same_people(
    context: LookupContext, index: StubMpi, run_step: RunStep
) -> None:
    first, second = run_step(OKAFOR), run_step(replace(OKAFOR, event_id="d" * 32))
    assert index.asked == 1
    assert second["recipients"] == first["recipients"] != []
    query, _ = chain.entries(context, "d" * 32)
    assert (query["action"], query["answer"], query["from_cache"]) == ("QUERIED", "matched", True)
    assert chain.entries(context, EVENT_ID)[0]["from_cache"] is False


def test_an_answer_is_found_and_dropped_after_a_rotation_of_the_reference_key(
    context: LookupContext,
    index: StubMpi,
    run_step: RunStep,
    sandbox: FunctionSandbox[LookupContext],
) -> None:
    run_step(OKAFOR)
    ring = {"k1": b"secret of reference-key", "k2": b"newer"}
    sandbox.context._from_secrets[sandbox.context.settings.reference_key_secret] = (
        time.monotonic(),
        KeyRing("k2", ring),
    )
    run_step(replace(OKAFOR, event_id="d" * 32))
    assert index.asked == 1
    run_step(changed("H00412", trigger="A08"))
    run_step(replace(OKAFOR, event_id="c" * 32))
    assert index.asked == 2, "the change dropped the answer under the older key too"


def test_a_found_patient_is_kept_for_five_minutes(
    index: StubMpi, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step(OKAFOR)
    later(monkeypatch, 290)
    run_step(OKAFOR)
    assert index.asked == 1
    later(monkeypatch, 11)
    run_step(OKAFOR)
    assert index.asked == 2


def test_nobody_is_kept_for_half_a_minute(
    index: StubMpi, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.answer = None
    for _ in range(2):
        with pytest.raises(IdentityNotFoundError):
            run_step(OKAFOR)
    assert index.asked == 1
    index.answer = OKAFOR_THERE
    later(monkeypatch, 31)
    assert run_step(OKAFOR)["recipient_count"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": Name("OKAFORD", "AMARA")},
        {"birth_date": "1958-02-15"},
        {"sex": "M"},
        {"identifiers": (northgen("H00412"), northgen("H00413"))},
    ],
    ids=["name", "birth date", "sex", "identifiers"],
)
def test_another_question_is_asked_anew(
    index: StubMpi, run_step: RunStep, other: dict[str, Any]
) -> None:
    run_step(OKAFOR)
    event = replace(OKAFOR, patient=replace(OKAFOR.patient, **other))
    if "identifiers" in other:
        run_step(event)
    else:
        with pytest.raises(IdentityConflictError):
            run_step(event)
    assert index.asked == 2


def test_an_unreadable_birth_date_is_another_question_than_none(
    index: StubMpi, run_step: RunStep
) -> None:
    undated = replace(OKAFOR.patient, birth_date="")
    run_step(replace(OKAFOR, patient=undated))
    with pytest.raises(IdentityConflictError, match="PID-7"):
        run_step(replace(OKAFOR, patient=replace(undated, birth_date_unreadable=True)))


def test_a_conflict_is_not_kept(index: StubMpi, run_step: RunStep) -> None:
    index.answer = replace(OKAFOR_THERE, record=PatientRecord("p-okafor", "Brown"))
    with pytest.raises(IdentityConflictError):
        run_step(OKAFOR)
    index.answer = OKAFOR_THERE  # somebody corrected the index, and redrives
    assert run_step(OKAFOR)["recipient_count"] == 1


@pytest.mark.parametrize(
    "event",
    [
        changed("H00412", trigger="A08"),
        changed("H00412", trigger="A31"),
        changed("H00412", others=("H00977",)),
        changed("H00533", others=("H00412",)),
    ],
    ids=["update", "update of a person", "merge, survivor", "merge, the other"],
)
def test_a_change_of_the_patient_drops_what_was_kept(
    index: StubMpi, run_step: RunStep, event: PatientEvent
) -> None:
    run_step(OKAFOR)
    answer = run_step(event)
    assert (answer["recipient_count"], answer["recipients"]) == (0, [])
    run_step(OKAFOR)
    assert index.asked == 2


def test_one_changed_identifier_of_several_is_enough(index: StubMpi, run_step: RunStep) -> None:
    patient = replace(OKAFOR.patient, identifiers=(northgen("H00412"), northgen("X1")))
    event = replace(OKAFOR, patient=patient)
    run_step(event)
    run_step(changed("X1", trigger="A08"))
    run_step(event)
    assert index.asked == 2


def test_an_answer_that_was_under_way_when_the_patient_was_merged_is_not_kept(
    context: LookupContext, index: StubMpi, run_step: RunStep
) -> None:
    usable = [UsableIdentifier("PID-3", "H00412", ("NORTHGEN",))]
    index.meanwhile = lambda: cache.forget(context, usable)
    run_step(OKAFOR)
    index.meanwhile = lambda: None
    run_step(OKAFOR)
    assert index.asked == 2
    run_step(OKAFOR)
    assert index.asked == 2, "the answer given after the merge is kept"


def test_a_merge_is_audited_with_both_by_reference(
    context: LookupContext, index: StubMpi, run_step: RunStep
) -> None:
    run_step(changed("H00412", others=("H00977",)))
    (entry,) = chain.entries(context, "f" * 32)
    assert (entry["action"], entry["trigger_event"]) == ("IDENTITY_CHANGED", "A40")
    assert len(entry["identifiers"]) == len(entry["others"]) == 1
    assert entry["identifiers"] != entry["others"]
    assert "H00" not in json.dumps(entry, default=str)


@pytest.mark.parametrize("method", ["batch_get_item", "transact_write_items"])
def test_without_the_table_the_index_is_asked_each_time(
    context: LookupContext,
    index: StubMpi,
    run_step: RunStep,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    original = getattr(context.client("dynamodb"), method)

    def throttled(**arguments: Any) -> Any:
        if "mpi-cache" in json.dumps(arguments):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, method)
        return original(**arguments)

    monkeypatch.setattr(context.client("dynamodb"), method, throttled)
    for _ in range(2):
        assert run_step(OKAFOR)["recipient_count"] == 1
    assert index.asked == 2


def test_a_change_that_cannot_be_noted_comes_again(
    context: LookupContext, index: StubMpi, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left_over(**arguments: Any) -> dict[str, Any]:
        return {"UnprocessedItems": arguments["RequestItems"]}

    monkeypatch.setattr(context.client("dynamodb"), "batch_write_item", left_over)
    with pytest.raises(DependencyUnavailableError, match="unprocessed"):
        run_step(changed("H00412"))


def test_the_table_holds_references_and_the_registrys_id_and_nothing_of_the_message(
    context: LookupContext, index: StubMpi, run_step: RunStep
) -> None:
    run_step(OKAFOR)
    (item,) = map(from_item, context.client("dynamodb").scan(TableName="mpi-cache")["Items"])
    assert item["patient_id"] == "p-okafor"
    assert item["expires_at"] > time.time()
    said = without_digests(json.dumps(item).casefold())
    assert [text for text in ("h00412", "okafor,", "amara", "1958") if text in said] == []
