"""The patient's stays at all hospitals: which flags an event gets, and the facts that they rest on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.encounters.encounter import Decision
from lambdas.common.contracts.encounters.protection import ProtectionFlag
from lambdas.common.contracts.encounters.stay_flags import FlagKind
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.encounters.indexes import link, of_patient
from lambdas.encounters.table import EncounterTable
from lambdas.lookup_identities.context import LookupContext
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track
from tests.functional.lambdas.lookup_identities.conftest import RunStep
from tests.functional.lambdas.lookup_identities.world import OKAFOR, reference, stored
from tests.support import configuration
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, E, I, message

DAY = 1440
PROFILE = EncounterProfile(name="northgen")
SENDERS = (
    {
        "name": "northgen",
        "default_assigning_authority": "NORTHGEN",
        "display_name": "Northtown General",
    },
    {
        "name": "stmary",
        "assigning_authorities": ["NORTHGEN"],
        "display_name": "St Mary Hospital",
    },
    {
        "name": "lakeside",
        "assigning_authorities": ["NORTHGEN"],
        "display_name": "Lakeside Psychiatric Hospital",
    },
)

pytestmark = pytest.mark.usefixtures("registry")
Tell = Callable[[EncounterMessage], Identities]


@pytest.fixture
def table(context: LookupContext, monkeypatch: pytest.MonkeyPatch) -> EncounterTable:
    """The table of encounters, and two hospitals with names."""
    configuration.deploy(configuration.document(*SENDERS), monkeypatch)
    return table_of(context.client("dynamodb"))


@pytest.fixture
def tell(context: LookupContext, run_step: RunStep, table: EncounterTable) -> Tell:
    """Tracks a message of Amara Okafor's and looks up whom to tell."""

    def told(one: EncounterMessage) -> Identities:
        decision = tracked(table, one)
        kind = decision.notices[0].kind
        event = replace(OKAFOR, sender=PROFILE.name, decision=decision, event_kind=kind)
        return stored(context, run_step(event)["version_id"])

    return told


def tracked(
    table: EncounterTable, one: EncounterMessage, profile: EncounterProfile = PROFILE
) -> Decision:
    return track(table, replace(one, sender=profile.name), profile, lambda: NOON)


def kinds(identities: Identities) -> list[FlagKind]:
    return [flag.kind for flag in identities.flags]


def test_a_first_admission_has_no_flag_and_links_the_stay_to_the_patient(
    tell: Tell, table: EncounterTable, context: LookupContext
) -> None:
    identities = tell(message("A01", 0, I))
    assert identities.flags == ()
    (stay,) = of_patient(context, reference(context, "patient", "p-okafor"), "2026")
    assert stay.encounter_id == "A01-0-inpatient"


def test_an_admission_twenty_days_after_a_discharge_is_a_readmission_with_its_facts(
    tell: Tell,
) -> None:
    tell(message("A01", -22 * DAY, I, facility="NORTHGEN"))
    tell(message("A03", -20 * DAY, disposition="01"))
    identities = tell(message("A01", 0, I, visit="v2"))
    assert kinds(identities) == [FlagKind.READMISSION]
    ((stay,),) = [flag.stays for flag in identities.flags]
    assert (stay.hospital, stay.facility) == ("Northtown General", "NORTHGEN")
    assert (stay.began_at[:10], stay.ended_at[:10]) == ("2026-11-01", "2026-11-03")


def test_the_third_emergency_visit_in_sixty_days_is_flagged(tell: Tell) -> None:
    found = [tell(message("A04", day * DAY, E, visit=f"v{day}")) for day in (-25, -10, 0)]
    assert [kinds(one) for one in found] == [[], [], [FlagKind.FREQUENT_EMERGENCY]]
    assert found[-1].flags[0].count == 3


def test_a_stay_that_was_loaded_counts(tell: Tell, table: EncounterTable) -> None:
    loading = replace(PROFILE, load=True)
    tracked(table, message("A01", -22 * DAY, I), loading)
    tracked(table, message("A03", -20 * DAY, disposition="01"), loading)
    assert kinds(tell(message("A01", 0, I, visit="v2"))) == [FlagKind.READMISSION]


@pytest.mark.parametrize(("sender", "named"), [("stmary", "St Mary Hospital"), ("lakeside", "")])
def test_an_admission_elsewhere_on_the_day_of_a_discharge_is_linked_as_a_transfer(
    tell: Tell, table: EncounterTable, context: LookupContext, sender: str, named: str
) -> None:
    """A hospital whose name says a sensitive category is not named."""
    there = replace(PROFILE, name=sender)
    begun = message("A01", -2 * DAY, I, visit="s1", patient="s-1", facility="LAKE")
    tracked(table, begun, there)
    left = message("A03", -60, visit="s1", patient="s-1", disposition="02")
    decision = tracked(table, left, there)
    link(
        context,
        decision.encounter_key,
        decision.encounter_id,
        reference(context, "patient", "p-okafor"),
    )
    identities = tell(message("A01", 0, I))
    assert kinds(identities) == [FlagKind.TRANSFERRED_FROM]
    (stay,) = identities.flags[0].stays
    assert (stay.encounter_id, stay.hospital) == (decision.encounter_id, named)
    assert bool(stay.facility) == bool(named)


def test_the_nursing_home_that_the_patient_was_discharged_to_is_told_of_the_readmission(
    tell: Tell, file_item: Callable[[dict[str, Any]], None]
) -> None:
    home = {
        "pk": "provider#snf-77",
        "sk": "provider",
        "provider_id": "snf-77",
        "kind": "facility",
        "family": "Harbour Nursing",
        "email": "intake@harbour.example",
    }
    file_item(home)
    file_item(
        {
            "pk": "provider-identifier#NORTHGEN#SNF77",
            "sk": "provider",
            "provider_id": "snf-77",
        }
    )
    tell(message("A01", -9 * DAY, I))
    tell(message("A03", -5 * DAY, disposition="03", discharged_to="SNF77"))
    identities = tell(message("A04", 0, E, visit="v2"))
    assert kinds(identities) == [FlagKind.READMISSION, FlagKind.RECENT_POST_ACUTE]
    told = {one.address: one.reasons for one in identities.recipients}
    assert told["intake@harbour.example"] == (RecipientReason.POST_ACUTE,)


def test_a_cancellation_has_no_flags(tell: Tell, context: LookupContext) -> None:
    tell(message("A01", -22 * DAY, I))
    tell(message("A03", -20 * DAY))
    tell(message("A01", 0, I, "e1" * 16, visit="v2"))
    cancelled = tell(message("A11", 60, visit="v2"))
    assert cancelled.flags == ()


def test_a_protected_stay_is_disclosed_by_no_flag(tell: Tell) -> None:
    tell(replace(message("A01", -22 * DAY, I), protections=(ProtectionFlag.PV1_16,)))
    tell(message("A03", -20 * DAY))
    assert tell(message("A01", 0, I, visit="v2")).flags == ()
