"""`ens audit patient` and `ens audit provider`: the answer for a privacy officer."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import Result
from fhir.resources.R4B.bundle import Bundle

from lambdas.common.audit import chain
from lambdas.common.keys import KeyRing
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.looks import chain_of
from tests.conftest import SAMPLES
from tests.support.trails import Story

Ens = Callable[..., Result]
MARCH, APRIL, NOTICE = "67" + "a" * 30, "68" + "b" * 30, "67AAAAAA"
IDENTIFIER = ("--identifier", "H00412", "--authority", "NORTHGEN")
IN_MARCH = ("--from", "2026-03-01", "--to", "2026-03-31")


def references(context: LedgerContext, key: str) -> tuple[str, str]:
    """The sample's patient and provider under a key of the ring."""
    ring = KeyRing(key, context.reference_keys.keys)
    return ring.reference("patient", "p-okafor"), ring.reference("recipient", "dr-lindqvist")


def told_in(context: LedgerContext, event_id: str, month: int, key: str) -> None:
    """An admission of the sample's patient in 2026, told to the provider and delivered."""
    patient_ref, recipient_ref = references(context, key)
    began = datetime(2026, month, 10, 12, 0, tzinfo=UTC)
    about: dict[str, Any] = {
        "recipient_ref": recipient_ref,
        "delivery_id": event_id,
        "patient_ref": patient_ref,
    }
    choice = [{"recipient_ref": recipient_ref, "reasons": ["primary_care"], "detail": "full"}]
    (
        Story(context, event_id, began)
        .run()
        .received()
        .step(
            "LookupIdentities",
            "RESOLVED",
            event_kind="admission",
            patient_ref=patient_ref,
            recipients=choice,
        )
        .step("DeliverNotification", "SENT", channel="email", detail="full", **about)
        .step("RecordFeedback", "DELIVERED", ses_event="DELIVERED#1", **about)
        .completed()
    )


@pytest.fixture
def rotated(context: LedgerContext, ens: Ens) -> Iterator[None]:
    """The registry's samples, and two admissions with a rotation of the reference key between them."""
    secrets = boto3.client("secretsmanager")
    secrets.put_secret_value(
        SecretId="reference-key",
        SecretString=json.dumps({"current": "k2", "k1": "old text", "k2": "new text"}),
    )
    context.__dict__.pop("reference_keys", None)
    assert ens("registry", "import", str(SAMPLES / "registry"), "--yes").exit_code == 0
    told_in(context, MARCH, 3, "k1")
    told_in(context, APRIL, 4, "k2")
    yield


def csv_of(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.usefixtures("rotated")
def test_a_patients_account_names_who_was_told_before_and_after_a_rotation(ens: Ens) -> None:
    result = ens("audit", "patient", *IDENTIFIER)
    said = " ".join(result.output.split())
    assert "2026-03-10 12:00:00 UTC Admission from northgen (ref. 67AAAAAA)" in said
    assert "told Dr Petra Lindqvist primary care; email, full detail; delivered" in said
    assert "2 events: 2 told" in said
    assert "Okafor" not in said


@pytest.mark.usefixtures("rotated")
def test_the_period_limits_the_answer(ens: Ens) -> None:
    rows = csv_of(ens("audit", "patient", *IDENTIFIER, *IN_MARCH, "--format", "csv"))
    assert [row["event_id"] for row in rows] == [MARCH]


@pytest.mark.usefixtures("rotated")
@pytest.mark.parametrize(
    ("step", "action"),
    [("DeliverNotification", "ALREADY_SENT"), ("RecordFeedback", "COMPLAINED")],
)
def test_a_replay_or_a_late_report_is_no_disclosure_of_its_own(
    context: LedgerContext, ens: Ens, step: str, action: str
) -> None:
    patient_ref, recipient_ref = references(context, "k1")
    about: dict[str, Any] = {
        "recipient_ref": recipient_ref,
        "delivery_id": MARCH,
        "patient_ref": patient_ref,
    }
    Story(context, MARCH, datetime(2026, 5, 20, tzinfo=UTC)).run().step(
        step, action, channel="email", detail="full", **about
    )
    in_may = ("--from", "2026-05-01", "--to", "2026-05-31", "--format", "csv")
    assert csv_of(ens("audit", "patient", *IDENTIFIER, *in_may)) == []
    assert csv_of(ens("audit", "provider", "--id", "dr-lindqvist", *in_may)) == []
    rows = csv_of(ens("audit", "patient", *IDENTIFIER, "--format", "csv"))
    assert [row["event_id"] for row in rows] == [MARCH, APRIL]


@pytest.mark.usefixtures("rotated")
def test_the_reference_in_a_notice_leads_to_the_same_patient(
    context: LedgerContext, ens: Ens
) -> None:
    rows = csv_of(ens("audit", "patient", "--notice", NOTICE, "--format", "csv"))
    assert [row["patient_ref"] for row in rows] == [references(context, "k1")[0]]
    unknown = ens("audit", "patient", "--notice", "00000000", *IN_MARCH)
    assert (unknown.exit_code, "no notice with this reference" in unknown.output) == (1, True)


@pytest.mark.usefixtures("rotated")
def test_a_notice_about_two_patients_gives_no_account_that_mixes_them(
    context: LedgerContext, ens: Ens
) -> None:
    moved = "71" + "e" * 30
    wrongly_told = {"recipient_ref": "k2.x", "reasons": ["care_team"], "other_patient": True}
    Story(context, moved, datetime(2026, 6, 1, tzinfo=UTC)).run().step(
        "LookupIdentities", "RESOLVED", "ok", patient_ref="k2.p", recipients=[wrongly_told]
    )
    result = ens("audit", "patient", "--notice", moved)
    assert (result.exit_code, "about two patients" in result.output) == (1, True)


@pytest.mark.usefixtures("rotated")
def test_a_providers_account_shows_patients_by_reference(ens: Ens) -> None:
    by_id = csv_of(ens("audit", "provider", "--id", "dr-lindqvist", "--format", "csv"))
    by_npi = csv_of(ens("audit", "provider", "--npi", "1888888884", "--format", "csv"))
    assert by_id == by_npi
    assert [row["event_id"] for row in by_id] == [MARCH, APRIL]
    assert {row["outcome"] for row in by_id} == {"told"}


@pytest.mark.usefixtures("rotated")
def test_the_bundle_of_a_patient_is_valid_fhir(ens: Ens) -> None:
    result = ens("audit", "patient", *IDENTIFIER, "--format", "fhir")
    bundle: Any = Bundle.model_validate_json(result.stdout)
    assert len(bundle.entry) == 2


@pytest.mark.usefixtures("rotated")
def test_a_patient_who_was_merged_keeps_the_account_of_both_records(
    context: LedgerContext, ens: Ens
) -> None:
    told_in(context, "69" + "c" * 30, 5, "k1")
    boto3.resource("dynamodb").Table("registry").update_item(
        Key={"pk": "patient#p-okafor", "sk": "patient"},
        UpdateExpression="SET merged_into = :survivor",
        ExpressionAttributeValues={":survivor": "p-survivor"},
    )
    survivor = context.reference_keys.reference("patient", "p-survivor")
    Story(context, "70" + "d" * 30, datetime(2026, 6, 1, tzinfo=UTC)).run().step(
        "LookupIdentities",
        "NO_RECIPIENT",
        "no_recipient",
        patient_ref=survivor,
        considered=[
            {"recipient_ref": "k2.x", "relationship": "care_team", "reason": "NO_ENDPOINT"}
        ],
    )
    rows = csv_of(ens("audit", "patient", *IDENTIFIER, "--format", "csv"))
    assert [row["outcome"] for row in rows] == ["told", "told", "told", "not chosen"]


@pytest.mark.usefixtures("rotated")
def test_every_reading_is_audited_and_part_of_the_next_answer(
    context: LedgerContext, ens: Ens
) -> None:
    assert ens("audit", "patient", *IDENTIFIER).exit_code == 0
    today = chain_of(datetime.now(UTC).date().isoformat())
    entry = chain.entries(context, today)[-1]
    assert (entry["action"], entry["looked_at"]) == ("AUDIT_LOG_USED", "audit_of_patient")
    assert entry["patient_ref"] == references(context, "k2")[0]
    assert "H00412" not in json.dumps(entry)
    assert "audit read by" in ens("audit", "patient", *IDENTIFIER).output
    assert "audit of patient" in ens("audit", "looks").output


def test_a_question_about_an_unknown_identifier_is_audited(
    context: LedgerContext, ens: Ens
) -> None:
    """The answer tells that the registry lacks it, so that a list of numbers could be tried."""
    assert ens("audit", "patient", "--identifier", "X1", "--authority", "NORTHGEN").exit_code == 1
    entry = chain.entries(context, chain_of(datetime.now(UTC).date().isoformat()))[-1]
    assert (entry["looked_at"], entry["outcome"]) == ("audit_of_patient", "unknown_patient")
    assert "X1" not in json.dumps(entry)
    assert "1 look." in ens("audit", "looks").output


def test_an_identifier_that_the_registry_lacks_is_a_sentence(ens: Ens) -> None:
    result = ens("audit", "patient", "--identifier", "X1", "--authority", "NORTHGEN")
    assert result.exit_code == 1
    assert "X1" not in result.output
    assert ens("audit", "patient", "--identifier", "X1").exit_code == 2
