"""One event reads once and writes once, and every crash around the write ends in the same decision."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bench.encounters.memory import MemoryStore
from lambdas.common.contracts.encounters.encounter import Decision, DecisionReason
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.errors import DependencyUnavailableError, IdentityConflictError
from lambdas.encounters.indexes import due, link, of_patient
from lambdas.encounters.store import ConflictError, DueReason, EncounterStore
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.tracking import track
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, PROFILE, E, I, O, again, message

STAY = (
    message("A04", 0, E, account="a1", facility="N", unit="ED"),
    message("A06", 60, I, account="a1", facility="N", attending=True),
    message("A02", 120, I, facility="X", facility_before="N"),
    message("A03", 240, I, disposition="03", discharged_to="SNF77"),
    message("A13", 300),
)


def tracked(store: EncounterStore, *messages: EncounterMessage) -> list[Decision]:
    return [track(store, one, PROFILE, lambda: NOON) for one in messages]


class Calls:
    """A DynamoDB client that records its calls, and fails where it is told to."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.names: list[str] = []
        self.before: dict[str, Exception] = {}
        self.after: dict[str, Exception] = {}
        self.between: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def recorded(**arguments: Any) -> Any:
            self.names.append(name)
            if name == "transact_write_items" and self.between:
                between, self.between = self.between, None
                between()
            if failure := self.before.pop(name, None):
                raise failure
            answer = call(**arguments)
            if failure := self.after.pop(name, None):
                raise failure
            return answer

        return recorded


def cancelled(code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": code}],
            "ResponseMetadata": {"HTTPStatusCode": 400},
        },
        "TransactWriteItems",
    )


def test_the_table_and_the_memory_decide_the_same(table: EncounterTable) -> None:
    assert tracked(table, *STAY) == tracked(MemoryStore(), *STAY)


def test_an_encounter_is_read_from_the_table_as_it_was_written(table: EncounterTable) -> None:
    memory = MemoryStore()
    tracked(table, *STAY)
    tracked(memory, *STAY)
    stored = table.read("", ["visit#k1.v1"]).encounters["visit#k1.v1"]
    assert stored == memory.homes["visit#k1.v1"]


def test_an_event_of_a_known_visit_takes_two_round_trips(dynamodb: Any) -> None:
    calls = Calls(dynamodb)
    table = table_of(calls)
    tracked(table, *STAY)
    assert calls.names == ["batch_get_item", "transact_write_items"] * len(STAY)


def test_a_second_run_of_an_event_returns_the_first_decision(table: EncounterTable) -> None:
    first = tracked(table, *STAY)
    assert tracked(table, *STAY) == first


def test_an_account_number_finds_the_encounter_of_a_visit_number(table: EncounterTable) -> None:
    tracked(table, STAY[1])
    cancel = message("A11", 70, visit="", account="a1")
    (decision,) = tracked(table, cancel)
    assert [notice.kind for notice in decision.notices] == [EventKind.CANCEL_ADMISSION]


@pytest.mark.parametrize("step", range(len(STAY)))
@pytest.mark.parametrize("moment", ["before the write", "after the write"])
def test_a_crash_around_the_write_changes_no_decision(
    dynamodb: Any, step: int, moment: str
) -> None:
    expected = tracked(MemoryStore(), *STAY)
    calls = Calls(dynamodb)
    table = table_of(calls)
    tracked(table, *STAY[:step])
    lost = ReadTimeoutError(endpoint_url="https://dynamodb")
    (calls.before if moment == "before the write" else calls.after)["transact_write_items"] = lost
    with pytest.raises(DependencyUnavailableError):
        tracked(table, STAY[step])
    assert tracked(table, *STAY[step:]) == expected[step:]


def test_a_transaction_that_was_applied_and_sent_again_returns_its_decision(
    dynamodb: Any,
) -> None:
    calls = Calls(dynamodb)
    table = table_of(calls)
    # botocore repeats a call whose answer was lost: the second one meets the first one's items.
    calls.after["transact_write_items"] = cancelled("ConditionalCheckFailed")
    (decision,) = tracked(table, STAY[0])
    assert [notice.kind for notice in decision.notices] == [EventKind.ED_REGISTRATION]


@pytest.mark.parametrize("code", ["ConditionalCheckFailed", "TransactionConflict"])
def test_two_messages_at_the_same_time_are_decided_one_after_the_other(
    dynamodb: Any, code: str
) -> None:
    calls = Calls(dynamodb)
    table, other = table_of(calls), table_of(dynamodb)
    calls.between = lambda: tracked(other, STAY[1])
    if code == "TransactionConflict":
        calls.before["transact_write_items"] = cancelled(code)
    (decision,) = tracked(table, again(STAY[1], "the same admission"))
    assert decision.reason is DecisionReason.DUPLICATE


def test_an_encounter_that_keeps_changing_is_tried_again_later(dynamodb: Any) -> None:
    class Busy(EncounterTable):
        def write(self, write: object) -> None:
            raise ConflictError

    with pytest.raises(DependencyUnavailableError):
        tracked(Busy(table_of(dynamodb).context), STAY[0])


def test_throttling_is_a_dependency_that_is_unavailable(dynamodb: Any) -> None:
    calls = Calls(dynamodb)
    calls.before["transact_write_items"] = cancelled("ThrottlingError")
    with pytest.raises(DependencyUnavailableError):
        tracked(table_of(calls), STAY[0])


def test_a_message_of_another_patient_leaves_the_encounter_as_it_was(table: EncounterTable) -> None:
    tracked(table, STAY[1])
    before = table.read("", ["visit#k1.v1"])
    with pytest.raises(IdentityConflictError):
        tracked(table, message("A03", 90, I, patient="p2"))
    assert table.read("", ["visit#k1.v1"]) == before


def test_a_number_given_to_another_patient_after_a_cancellation_keeps_both_encounters(
    table: EncounterTable, dynamodb: Any
) -> None:
    tracked(table, STAY[1], message("A11", 70), message("A01", 80, I, "other", patient="p2"))
    encounter = table.read("", ["visit#k1.v1"]).encounters["visit#k1.v1"].encounter
    assert encounter.patient_keys == ("patient#k1.p2",)
    archived = dynamodb.get_item(
        TableName="encounters", Key={"pk": {"S": f"archive#{STAY[1].event.event_id}"}}
    )
    assert archived["Item"]["patient_keys"] == {"L": [{"S": "patient#k1.p1"}]}


def test_the_encounters_of_a_patient_are_found_at_every_sender(table: EncounterTable) -> None:
    tracked(table, *STAY)
    home = "visit#k1.v1"
    link(table.context, home, STAY[0].event.event_id, "k1.patient")
    (found,) = of_patient(table.context, "k1.patient", "2026")
    assert (found.encounter_id, found.facility) == (STAY[0].event.event_id, "X")


def test_a_patient_is_not_added_to_the_encounter_that_took_the_number(
    table: EncounterTable,
) -> None:
    tracked(table, *STAY)
    assert link(table.context, "visit#k1.v1", "another encounter", "k1.patient") is None
    assert of_patient(table.context, "k1.patient", "2026") == []


def test_a_patient_who_is_linked_meanwhile_stays_linked(dynamodb: Any) -> None:
    calls = Calls(dynamodb)
    table, other = table_of(calls), table_of(dynamodb)
    tracked(other, STAY[0])
    calls.between = lambda: link(other.context, "visit#k1.v1", STAY[0].event.event_id, "k1.patient")
    tracked(table, STAY[1])
    stored = other.read("", ["visit#k1.v1"]).encounters["visit#k1.v1"].encounter
    assert stored.patient_ref == "k1.patient"
    assert len(stored.events) == 2


def test_a_second_link_to_the_same_patient_writes_nothing(table: EncounterTable) -> None:
    tracked(table, STAY[0])
    linked = [
        link(table.context, "visit#k1.v1", STAY[0].event.event_id, "k1.patient") for _ in "12"
    ]
    assert linked[0] == linked[1]
    assert table.read("", ["visit#k1.v1"]).encounters["visit#k1.v1"].encounter.version == 2


def test_until_the_registry_knows_the_patient_the_senders_identifier_finds_the_stay(
    table: EncounterTable,
) -> None:
    tracked(table, STAY[0])
    (found,) = of_patient(table.context, "patient#k1.p1", "2026")
    assert found.encounter_id == STAY[0].event.event_id
    stored = table.read("", ["visit#k1.v1"]).encounters["visit#k1.v1"].encounter
    assert stored.patient_ref == ""


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        (STAY[:2], DueReason.OPEN),
        ([message("A11", 70)], DueReason.ORPHAN),
        ([message("A08", 70, I)], DueReason.UNBEGUN),
        ([message("A08", 70, O)], DueReason.OPEN),
    ],
    ids=[
        "an open encounter",
        "a cancellation of nothing",
        "an inpatient whose admission never came",
        "an outpatient whose registration never came",
    ],
)
def test_the_clock_finds_what_is_due(
    table: EncounterTable, messages: Iterable[EncounterMessage], why: DueReason
) -> None:
    tracked(table, *messages)
    assert list(due(table.context, why, "2030")) == ["visit#k1.v1"]
    assert list(due(table.context, why, "2026-11-01")) == []


def test_a_discharged_encounter_is_not_due(table: EncounterTable) -> None:
    tracked(table, *STAY[:4])
    assert list(due(table.context, DueReason.OPEN, "2030")) == []


def test_merged_identifiers_are_one_patient(table: EncounterTable) -> None:
    merge = replace(
        message("A40", 60, visit="", patient="p2", prior_patient="p1"), prior_keys=STAY[1].keys
    )
    decisions = tracked(table, STAY[1], merge, message("A03", 90, I, patient="p2"))
    assert [notice.kind for notice in decisions[-1].notices] == [EventKind.DISCHARGE]
