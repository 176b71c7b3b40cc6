from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lambdas.common.aws import item_reads
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.visit import Visit
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
)
from lambdas.common.senders import SenderProfile
from lambdas.delivery.decisions.holds import hold_for
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.resolving import resolve
from lambdas.registry import table
from lambdas.registry.importing.plan import items
from tests.functional.lambdas.lookup_identities.conftest import Item

SENDER = SenderProfile(assigning_authorities=frozenset({"A"}))


def test_ten_recipients_cost_two_round_trips(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    ids = [f"dr-{number}" for number in range(10)]
    patient = {"patient_id": "p", "family": "Okafor", "given": "", "birth_date": "", "sex": ""}
    identifier = {"authority": "A", "value": "1", "patient_id": "p", "provider_id": ""}
    rest = {"prefix": "", "given": "", "family": "X", "npi": "", "active": ""}
    for item in items(
        [patient],
        [identifier],
        [{"provider_id": i, "email": f"{i}@clinic.example", **rest} for i in ids],
        [
            {"patient_id": "p", "provider_id": i, "relationship": "care_team", "active": ""}
            for i in ids
        ],
    ):
        file_item(item)
    calls: list[str] = []
    context.client("dynamodb").meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    described = Patient(identifiers=(PatientIdentifier("1", "A"),), name=Name("Okafor"))
    identities = resolve(
        context,
        PatientEvent("e", "A01", EventKind.ADMISSION, True, "2.5", patient=described),
        SENDER,
    )
    assert identities is not None
    assert len(identities.recipients) == 10
    assert calls == ["BatchGetItem", "BatchGetItem"]


def test_more_keys_than_a_batch_takes_are_asked_for_in_several(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    file_item({"pk": "identifier#A#249", "sk": "patient", "patient_id": "p"})
    pairs = [("A", str(number)) for number in range(250)]
    assert table.filed_under(context, [*pairs, *pairs], []).patients == {("A", "249"): ("p",)}


def test_nothing_to_look_up_makes_no_call(
    context: LookupContext, environment: dict[str, str]
) -> None:
    found = table.filed_under(context, [], [])
    assert (found.patients, found.providers) == ({}, {})


@pytest.mark.parametrize(("unprocessed", "recovers"), [(1, True), (99, False)])
def test_keys_left_unprocessed_are_asked_for_again_and_at_last_count_as_throttling(
    context: LookupContext,
    aws: Any,
    file_item: Callable[[Item], None],
    monkeypatch: pytest.MonkeyPatch,
    unprocessed: int,
    recovers: bool,
) -> None:
    file_item({"pk": "identifier#A#1", "sk": "patient", "patient_id": "p"})
    monkeypatch.setattr("lambdas.common.aws.item_reads.time.sleep", lambda _: None)
    dynamodb, answers = context.client("dynamodb"), []

    def leave_unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)
        if len(answers) <= unprocessed:
            key = {"pk": {"S": "identifier#A#1"}, "sk": {"S": "patient"}}
            parsed["Responses"] = {}
            parsed["UnprocessedKeys"] = {"registry": {"Keys": [key], "ConsistentRead": True}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_unprocessed)
    if recovers:
        assert table.filed_under(context, [("A", "1")], []).patients == {("A", "1"): ("p",)}
        assert len(answers) == 2
    else:
        with pytest.raises(DependencyUnavailableError, match="unprocessed"):
            table.filed_under(context, [("A", "1")], [])
        assert len(answers) == item_reads.TRIES


def filed_patient(file_item: Callable[[Item], None], *related: str, **more: Any) -> None:
    file_item({"pk": "identifier#A#1", "sk": "patient", "patient_id": "p"})
    file_item({"pk": "patient#p", "sk": "patient", "family": "Okafor", **more})
    for who in related:
        file_item({"pk": "patient#p", "sk": f"provider#{who}", "relationship": "care_team"})
        file_item({"pk": f"provider#{who}", "sk": "provider", "email": f"{who}@clinic.example"})


def test_whom_a_hint_leaves_out_is_found_all_the_same(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", "b", circle={"a", "b"})
    for hint in ((), ("a",), ("a", "b"), ("gone",)):
        found = table.care_file(context, "p", hint)
        assert {known.provider_id for known in found.relationships} == {"a", "b"}, hint
        assert {"a", "b"} <= found.providers.keys()


def test_a_patient_whose_circle_is_not_said_has_the_partition_read(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", "b")
    found = table.care_file(context, "p", ("a",))
    assert {known.provider_id for known in found.relationships} == {"a", "b"}
    assert set(found.providers) == {"a", "b"}


def event_of(*identifiers: PatientIdentifier, **more: Any) -> PatientEvent:
    described = Patient(identifiers=identifiers, name=Name("Okafor"))
    return PatientEvent("e", "A03", EventKind.DISCHARGE, True, "2.5", patient=described, **more)


def test_a_merged_patient_is_told_of_as_the_survivor_and_both_are_recorded(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", merged_into="q", circle={"a"})
    file_item({"pk": "patient#q", "sk": "patient", "family": "Okafor", "circle": {"b"}})
    file_item({"pk": "patient#q", "sk": "provider#b", "relationship": "primary_care"})
    file_item({"pk": "provider#b", "sk": "provider", "email": "b@clinic.example"})

    identities = resolve(context, event_of(PatientIdentifier("1", "A")), SENDER)

    assert identities is not None
    assert identities.patient_id == "q"
    assert identities.merged_from == (context.reference_keys.reference("patient", "p"),)
    assert [told.provider_id for told in identities.recipients] == ["a", "b"]


@pytest.mark.parametrize("filed", [("p", "q"), (["p", "q"], "q")], ids=["two", "one of both"])
def test_identifiers_from_before_and_after_a_merge_name_the_one_survivor(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None], filed: Any
) -> None:
    filed_patient(file_item, "a", merged_into="q", circle={"a"})
    file_item({"pk": "patient#q", "sk": "patient", "family": "Okafor", "circle": {"b"}})
    file_item({"pk": "patient#q", "sk": "provider#b", "relationship": "primary_care"})
    file_item({"pk": "provider#b", "sk": "provider", "email": "b@clinic.example"})
    for value, patients in zip("12", filed, strict=True):
        file_item({"pk": f"identifier#A#{value}", "sk": "patient", "patient_id": patients})

    for order in ("12", "21"):
        sent = [PatientIdentifier(value, "A") for value in order]
        identities = resolve(context, event_of(*sent), SENDER)
        assert identities is not None
        assert (identities.patient_id, identities.merged_ids) == ("q", ("p",))
        assert identities.matched_on[:2] == ("PID-3[1]", "PID-3[2]")
        assert [told.provider_id for told in identities.recipients] == ["a", "b"]


def test_a_number_of_hundreds_of_patients_is_ambiguous_without_reading_each(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    """Such as 000000, which a hospital writes for an unknown patient."""
    everybody = [f"p-{number}" for number in range(300)]
    file_item({"pk": "identifier#A#0", "sk": "patient", "patient_id": everybody})
    calls: list[str] = []
    context.client("dynamodb").meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    with pytest.raises(IdentityAmbiguousError):
        resolve(context, event_of(PatientIdentifier("0", "A")), SENDER)
    assert calls == ["BatchGetItem"]


def test_a_consent_that_ended_after_a_merge_has_ended_for_the_old_identifier_too(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    """The import files the end with the surviving patient (docs/identity.md, Consents)."""
    filed_patient(file_item, "a", merged_into="q", circle={"a"})
    permit = {"direction": "permit", "sensitivity": "substance_use"}
    file_item({"pk": "patient#p", "sk": "consents", "consent#c-1": permit, "consent#c-2": permit})
    file_item({"pk": "patient#q", "sk": "patient", "family": "Okafor", "circle": {"a"}})
    ended = {**permit, "valid_until": "2026-10-31"}
    file_item({"pk": "patient#q", "sk": "consents", "consent#c-1": ended})

    identities = resolve(context, event_of(PatientIdentifier("1", "A")), SENDER)

    assert identities is not None
    found = {one.consent_id: one.valid_until for one in identities.consents}
    assert found == {"c-1": "2026-10-31", "c-2": ""}
    assert len(identities.consents) == 2


def test_merges_that_never_end_are_the_registrys_fault(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, merged_into="p")
    with pytest.raises(ConfigurationError, match="merges"):
        resolve(context, event_of(PatientIdentifier("1", "A")), SENDER)


@pytest.mark.parametrize(
    ("kind", "authority", "told"),
    [
        ("facility", "NORTHGEN", ["snf"]),
        ("person", "NORTHGEN", []),
        ("facility", "SOUTHGEN", []),
        ("facility", "", []),
    ],
)
def test_the_facility_a_patient_goes_to_is_told_when_it_is_filed_under_the_senders_own_code(
    context: LookupContext,
    aws: Any,
    file_item: Callable[[Item], None],
    kind: str,
    authority: str,
    told: list[str],
) -> None:
    filed_patient(file_item, circle={"nobody"})
    file_item({"pk": "provider-identifier#NORTHGEN#SNF80", "sk": "provider", "provider_id": "snf"})
    snf = {"family": "Seaside", "email": "s@snf.example", "kind": kind}
    file_item({"pk": "provider#snf", "sk": "provider", **snf})
    event = event_of(PatientIdentifier("1", "A"), visit=Visit(discharged_to="SNF80"))

    sender = replace(SENDER, default_assigning_authority=authority)
    identities = resolve(context, event, sender)

    assert identities is not None
    assert [who.provider_id for who in identities.recipients] == told
    # A code of the place may be the number of a member of the staff too.
    assert identities.discharged_to == ("Seaside" if told else "")
    admitted = resolve(context, replace(event, event_kind=EventKind.ADMISSION), sender)
    assert admitted is not None
    assert not admitted.recipients


def test_an_authority_that_nobody_mapped_is_told_from_a_patient_whom_nobody_registered(
    context: LookupContext, aws: Any, registry: None
) -> None:
    sender = SenderProfile(assigning_authorities=frozenset({"NORTHGEN", "NGEN"}))
    unmapped = event_of(PatientIdentifier("H00412", "NGEN"))
    with pytest.raises(ConfigurationError, match=r"^PID-3: .* unknown to the MPI or the registry$"):
        resolve(context, unmapped, sender)
    assert resolve(context, event_of(PatientIdentifier("H99999", "NORTHGEN")), sender) is None
    beside = event_of(PatientIdentifier("H99999", "NORTHGEN"), PatientIdentifier("1", "NGEN"))
    assert resolve(context, beside, sender) is None


def test_the_authorities_are_read_once_in_a_sandbox_and_again_for_one_that_was_imported_since(
    context: LookupContext, aws: Any, registry: None, file_item: Callable[[Item], None]
) -> None:
    sender = SenderProfile(assigning_authorities=frozenset({"NORTHGEN", "NGEN"}))
    queries: list[str] = []
    context.client("dynamodb").meta.events.register(
        "before-call.dynamodb.Query", lambda **_: queries.append("Query")
    )
    for _ in range(3):
        assert resolve(context, event_of(PatientIdentifier("H99999", "NORTHGEN")), sender) is None
    assert queries == ["Query"]
    file_item({"pk": "authorities", "sk": "NGEN"})
    assert resolve(context, event_of(PatientIdentifier("H99999", "NGEN")), sender) is None


def test_a_registry_of_an_earlier_version_lists_no_authorities_and_its_unknown_patients_are_unknown(
    context: LookupContext, aws: Any
) -> None:
    assert resolve(context, event_of(PatientIdentifier("1", "A")), SENDER) is None


def far_zone() -> ZoneInfo:
    """A time zone in which it is another day now than in UTC."""
    utc = datetime.now(UTC).date()
    zones = map(ZoneInfo, ("Pacific/Kiritimati", "Etc/GMT+12"))
    return next(zone for zone in zones if datetime.now(zone).date() != utc)


@pytest.mark.parametrize("zone", [None, far_zone()], ids=["UTC", "the hospital's"])
def test_an_absence_counts_by_the_days_of_the_hospital(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None], zone: ZoneInfo | None
) -> None:
    filed_patient(file_item, "a", circle={"a"})
    day = datetime.now(far_zone()).date().isoformat()
    absence = {"surrogate": "b", "away_from": day, "away_until": day}
    file_item({"pk": "provider#a", "sk": "provider", "email": "a@clinic.example", **absence})
    file_item({"pk": "provider#b", "sk": "provider", "email": "b@clinic.example"})
    event = event_of(PatientIdentifier("1", "A"))
    identities = resolve(context, event, replace(SENDER, zone=zone))
    assert identities is not None
    assert [one.provider_id for one in identities.recipients] == ["b" if zone else "a"]


def test_quiet_hours_without_a_time_zone_are_those_of_the_hospital(
    context: LookupContext, aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", "b", circle={"a", "b"})
    for who, more in (("a", {}), ("b", {"time_zone": "America/Toronto"})):
        night = {"email": f"{who}@clinic.example", "quiet": "22:00-07:00", **more}
        file_item({"pk": f"provider#{who}", "sk": "provider", **night})
    halifax = replace(SENDER, zone=ZoneInfo("America/Halifax"))
    identities = resolve(context, event_of(PatientIdentifier("1", "A")), halifax)
    assert identities is not None
    three_at_night = datetime(2026, 11, 24, 7, tzinfo=UTC)
    ends = [hold_for(one, three_at_night)[1] for one in identities.recipients]
    assert ends == ["2026-11-24T11:00:00.000Z", "2026-11-24T12:00:00.000Z"]
