"""The `pixpdq` backend against the local index: every case, and everything that can go wrong between."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.audit import chain
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
    IdentityConflictError,
    IdentityNotFoundError,
)
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.circuit_breaker import FAILURES
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError
from lambdas.registry.records import Match
from simulators.pix_manager import PixManager
from tests.functional.lambdas.lookup_identities.conftest import (
    Item,
    RunStep,
    mpi_sandbox,
    set_mpi_secret,
)
from tests.functional.lambdas.lookup_identities.world import (
    EVENT_ID,
    northgen,
    patient_event,
    stored,
)
from tests.support.authorities import ASSERTED
from tests.support.registry import SEEDS
from tests.support.tls import authority, context_for

Configure = Callable[..., None]


@pytest.fixture
def index(environment: dict[str, str]) -> Iterator[PixManager]:
    running = PixManager(SEEDS).start()
    mpi_sandbox.end()
    yield running
    mpi_sandbox.end()
    running.stop()


@pytest.fixture
def configure(index: PixManager, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Points the step at the index; more settings may be given."""

    def set_up(**more: Any) -> None:
        mpi_sandbox.end()
        settings = {"host": "127.0.0.1", "port": index.port, "domain": "REGION", **more}
        monkeypatch.setenv("ENS_MPI_CLIENT", "pixpdq")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps(settings))

    set_up()
    return set_up


def find(*identifiers: PatientIdentifier) -> Match | None:
    usable, _ = usable_identifiers(identifiers, ASSERTED)
    asked = mpi_sandbox.context.mpi_client
    assert asked is not None
    return asked.find(usable, Patient())


def test_a_known_number_gives_the_indexs_patient(configure: Configure, index: PixManager) -> None:
    found = find(northgen("H00412"))
    assert found is not None
    assert (found.record.patient_id, found.record.family) == ("p-okafor", "Okafor")
    assert (found.record.birth_date, found.record.sex) == ("1958-02-14", "F")
    assert (found.matched_on, found.merged_from) == (("PID-3",), ())
    assert len(index.queries) == 2


def test_a_number_of_a_merged_patient_gives_the_survivor_and_both(configure: Configure) -> None:
    found = find(northgen("H00977"))
    assert found is not None
    assert (found.record.patient_id, found.merged_from) == ("p-okafor", ("p-okafor-old",))


def test_an_unknown_number_is_nobody_and_is_asked_once(
    configure: Configure, index: PixManager
) -> None:
    assert find(northgen("H99999")) is None
    assert len(index.queries) == 1


def test_a_patient_without_an_id_in_our_domain_is_nobody(configure: Configure) -> None:
    configure(domain="aa")
    assert find(northgen("H00412")) is None


def test_two_patients_under_one_number_are_ambiguous(configure: Configure) -> None:
    with pytest.raises(IdentityAmbiguousError):
        find(northgen("H00850"))


def parts(index: PixManager, start: int) -> list[dict[str, list[str]]]:
    """The queries from the `start`-th on, each as its segments by name, split into fields."""
    lines = [query.decode().split("\r") for query in index.queries[start:]]
    return [{line[:3]: line.split("|") for line in query if line} for query in lines]


def test_pages_are_read_to_the_third_each_asked_for_with_the_pointer_of_the_one_before(
    configure: Configure, index: PixManager
) -> None:
    index.answers.empty_pages = 2
    found = find(northgen("H00412"))
    assert found is not None
    assert found.record.patient_id == "p-okafor"
    pages = parts(index, 1)
    assert [page["MSH"][8] for page in pages] == ["QBP^Q22^QBP_Q21"] * 3
    assert len({page["MSH"][9] for page in pages}) == 3, "each page has an MSH-10 of its own"
    assert len({page["QPD"][2] for page in pages}) == 1
    pointers = [page.get("DSC", ["DSC", ""])[1] for page in pages]
    assert pointers[0] == ""
    assert len(set(pointers)) == 3


def test_past_three_pages_the_patient_is_ambiguous_and_the_rest_is_declined(
    configure: Configure, index: PixManager
) -> None:
    index.answers.empty_pages = 3
    with pytest.raises(IdentityAmbiguousError, match=r"^PID-3: .* in more than 3 pages$"):
        find(northgen("H00412"))
    *pages, declined = parts(index, 1)
    assert [page["MSH"][8] for page in pages] == ["QBP^Q22^QBP_Q21"] * 3
    assert declined["MSH"][8] == "QCN^J01^QCN_J01"
    assert declined["QID"][1:] == [pages[0]["QPD"][2], "IHE PDQ Query"]
    assert index.answers._owed == {}
    assert find(northgen("H00412")), "the connection is as good as before"
    assert index.connections == 1


def test_a_second_patient_ends_the_reading_of_pages(
    configure: Configure, index: PixManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.answers, "_matching", lambda *_: ["p-okafor", "p-brandt"] * 6)
    with pytest.raises(IdentityAmbiguousError, match="several patients"):
        find(northgen("H00412"))
    assert [q["MSH"][8][:3] for q in parts(index, 1)] == ["QBP", "QCN"]


def test_an_index_that_does_not_hear_the_end_changes_nothing(
    configure: Configure, index: PixManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> list[str]:
        raise ConnectionError

    monkeypatch.setattr(index.answers, "_cancelled", gone)
    index.answers.empty_pages = 3
    with pytest.raises(IdentityAmbiguousError, match="3 pages"):
        find(northgen("H00412"))
    assert find(northgen("H00412")), "on a connection of its own"


def test_two_numbers_of_two_patients_conflict(configure: Configure) -> None:
    with pytest.raises(IdentityConflictError):
        find(northgen("H00412"), northgen("H00533"))


def test_an_authority_that_the_index_lacks_is_a_warning_beside_one_that_it_knows(
    configure: Configure,
) -> None:
    licence = PatientIdentifier("D-1", "MOTOR_VEHICLES")
    with pytest.raises(DomainUnknownError):
        find(licence)
    found = find(northgen("H00412"), licence)
    assert found is not None
    assert found.warnings == (MessageWarning(WarningCode.AUTHORITY_UNKNOWN, "PID-3[2]"),)


def test_our_own_domain_may_be_what_the_index_does_not_know(configure: Configure) -> None:
    configure(domain="NOWHERE")
    with pytest.raises(DomainUnknownError, match="our own"):
        find(northgen("H00412"))


def test_the_connection_is_kept_between_invocations(
    configure: Configure, index: PixManager
) -> None:
    for _ in range(3):
        assert find(northgen("H00412"))
    assert (index.connections, len(index.queries)) == (1, 6)


def test_a_connection_that_died_between_two_events_is_opened_anew(
    configure: Configure, index: PixManager
) -> None:
    assert find(northgen("H00412"))
    index.drop()
    assert find(northgen("H00412"))
    assert index.connections == 2


def test_a_query_that_a_dying_connection_swallowed_is_asked_again(
    configure: Configure, index: PixManager
) -> None:
    assert find(northgen("H00412"))
    index.fail_next("close")
    assert find(northgen("H00412"))
    assert (index.connections, len(index.queries)) == (2, 5)
    control_ids = [query["MSH"][9] for query in parts(index, 0)]
    assert len(set(control_ids)) == 5, "the repeated query has another MSH-10"


@pytest.mark.parametrize("fault", ["other_msa", "other_qak", "garbage"])
def test_an_answer_to_another_query_ends_the_connection_and_the_query_is_asked_anew(
    configure: Configure, index: PixManager, fault: Any
) -> None:
    index.fail_next(fault)
    found = find(northgen("H00412"))
    assert found is not None
    assert found.record.patient_id == "p-okafor"
    assert index.connections == 2


def test_an_index_in_trouble_for_a_moment_is_asked_once_more(
    configure: Configure, index: PixManager
) -> None:
    index.fail_next("internal_error")
    assert find(northgen("H00412"))


def test_a_silent_index_is_unavailable_within_the_steps_time(
    configure: Configure, index: PixManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_BYTE_SECONDS", 0.1)
    index.fail_next("silent", "silent")
    with pytest.raises(DependencyUnavailableError, match="timeout"):
        find(northgen("H00412"))
    # What comes late reaches nobody: the next query has a connection of its own.
    assert find(northgen("H00412"))


def test_the_whole_has_an_end_however_slowly_the_index_answers(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TOTAL_SECONDS", 0.0)
    with pytest.raises(DependencyUnavailableError, match="no time left"):
        find(northgen("H00412"))


def test_an_index_that_is_down_is_not_hammered(
    configure: Configure, index: PixManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(port=1)
    asked = []

    def refuse(*_: Any) -> None:
        asked.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr("lambdas.lookup_identities.pix_pdq.mllp.socket.create_connection", refuse)
    monkeypatch.setattr("lambdas.lookup_identities.pix_pdq.mpi_client.time.sleep", lambda _: None)
    for _ in range(FAILURES + 4):
        with pytest.raises(DependencyUnavailableError, match="the MPI"):
            find(northgen("H00412"))
    assert len(asked) == FAILURES * connection.TRIES


def test_mutual_tls_is_spoken_with_the_secrets_certificate(
    index: PixManager, configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = authority()
    server = context_for(root.issue("localhost"), root, tmp_path)
    server.verify_mode = ssl.CERT_REQUIRED
    secured = PixManager(SEEDS, tls=server).start()
    try:
        configure(host="localhost", port=secured.port, tls=True)
        client = root.issue("hl7-ens")
        secret = {"ca": root.pem, "certificate": client.pem, "key": client.key_pem}
        set_mpi_secret(monkeypatch, secret)
        assert find(northgen("H00412"))
        mpi_sandbox.end()
        set_mpi_secret(monkeypatch, {"ca": root.pem})
        with pytest.raises(DependencyUnavailableError):
            find(northgen("H00412"))
        mpi_sandbox.end()
        set_mpi_secret(monkeypatch, {**secret, "ca": authority().pem})
        with pytest.raises(DependencyUnavailableError, match="certificate in certificate chain"):
            find(northgen("H00412"))
        mpi_sandbox.end()
        set_mpi_secret(monkeypatch, {"ca": "no certificate"})
        with pytest.raises(ConfigurationError, match="is not PEM"):
            find(northgen("H00412"))
        mpi_sandbox.end()
        # Only the PDQ supplier knows another authority, and each actor has its own settings.
        set_mpi_secret(monkeypatch, {"ca": "no certificate", "pdq": secret})
        configure(
            pix={"host": "127.0.0.1", "port": index.port, "receiving_application": "PIXMGR"},
            pdq={
                "host": "localhost",
                "port": secured.port,
                "tls": True,
                "receiving_application": "PDSUPPLIER",
                "receiving_facility": "REGION",
            },
        )
        before = len(secured.queries)
        assert find(northgen("H00412"))
        (pix,), (pdq,) = parts(index, -1), parts(secured, before)
        assert (pix["QPD"][1], pix["MSH"][4:6]) == ("IHE PIX Query", ["PIXMGR", "MPI"])
        assert (pdq["QPD"][1], pdq["MSH"][4:6]) == ("IHE PDQ Query", ["PDSUPPLIER", "REGION"])
    finally:
        mpi_sandbox.end()
        secured.stop()


@pytest.mark.usefixtures("registry")
def test_the_step_resolves_through_the_index_and_audits_the_query_by_reference(
    context: LookupContext, configure: Configure, run_step: RunStep, index: PixManager
) -> None:
    configure()
    result = run_step(patient_event(northgen("H00977")))
    assert result["recipient_count"] == 1
    query, resolved = chain.entries(context, EVENT_ID)
    assert (query["action"], query["answer"], query["backend"]) == ("QUERIED", "matched", "pixpdq")
    assert len(query["asked"]) == 1
    assert "H00" not in json.dumps(query)
    assert len(resolved["merged_from"]) == 1


@pytest.mark.usefixtures("registry")
def test_whom_the_registry_files_with_a_patient_whom_the_index_merged_is_told(
    context: LookupContext,
    configure: Configure,
    run_step: RunStep,
    file_item: Callable[[Item], None],
) -> None:
    """Relationships and consents are filed under the MPI's ids, those of before the merge too."""
    old = {"pk": "patient#p-okafor-old"}
    file_item({**old, "sk": "patient", "family": "Okafor", "circle": {"dr-chen"}})
    file_item({**old, "sk": "provider#dr-chen", "relationship": "care_team"})
    denial = {"direction": "deny", "sensitivity": "all", "provider_id": "dr-lindqvist"}
    file_item({**old, "sk": "consents", "consent#c-1": denial})
    configure()
    for _ in range(2):  # the second answer comes from the cache
        result = run_step(patient_event(northgen("H00977")))
        found = stored(context, result["version_id"])
        assert [one.provider_id for one in found.recipients] == ["dr-chen"]
        assert [one.reason for one in found.considered if one.policy_rule] == ["OPTED_OUT"]


@pytest.mark.usefixtures("registry")
def test_a_consent_that_ended_at_the_survivor_does_not_hold_by_the_copy_of_before_the_merge(
    context: LookupContext,
    configure: Configure,
    run_step: RunStep,
    file_item: Callable[[Item], None],
) -> None:
    """A merge in the registry copies consents; later rows change the copy alone (docs/identity.md)."""
    old, new = {"pk": "patient#p-okafor-old"}, {"pk": "patient#p-okafor"}
    file_item({**old, "sk": "patient", "family": "Okafor", "merged_into": "p-okafor"})
    denial = {"direction": "deny", "sensitivity": "all", "provider_id": "dr-lindqvist"}
    file_item({**old, "sk": "consents", "consent#c-1": denial, "consent#c-2": denial})
    ended = {**denial, "valid_until": "2020-01-01"}
    file_item({**new, "sk": "consents", "consent#c-1": ended, "consent#c-2": ended})
    configure()
    result = run_step(patient_event(northgen("H00977")))
    found = stored(context, result["version_id"])
    assert [one.provider_id for one in found.recipients] == ["dr-lindqvist"]
    assert {one.valid_until for one in found.consents} == {"2020-01-01"}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("event", "error", "answer"),
    [
        (patient_event(northgen("H99999")), IdentityNotFoundError, "not_found"),
        (patient_event(northgen("H00850")), IdentityAmbiguousError, "ambiguous"),
        (
            patient_event(PatientIdentifier("1", "MARS")),
            ConfigurationError,
            "authority_not_allowed",
        ),
        (
            patient_event(northgen("H00412"), name=Name("Brown")),
            IdentityConflictError,
            "matched",
        ),
    ],
)
def test_every_outcome_of_the_index_has_the_steps_error_and_one_query_entry(
    context: LookupContext,
    configure: Configure,
    run_step: RunStep,
    event: Any,
    error: type[Exception],
    answer: str,
) -> None:
    configure()
    with pytest.raises(error):
        run_step(event)
    queries = [e for e in chain.entries(context, EVENT_ID) if e["action"] == "QUERIED"]
    assert [entry["answer"] for entry in queries] == [answer]
