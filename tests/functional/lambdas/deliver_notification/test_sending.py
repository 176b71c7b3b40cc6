"""A delivery that goes well: one mail, what it holds, and what is left of it in ledger, vault and audit."""

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import without_empty
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.errors import DeliveryRefusedError, DependencyUnavailableError, UnexpectedError
from lambdas.delivery.context import DeliveryContext
from tests.functional.lambdas.deliver_notification.world import (
    EVENT_ID,
    PRIVATE,
    RECIPIENT,
    DeliveryWorld,
    refusal,
    sent_bytes,
    sent_ids,
    sent_mails,
    ses_answers,
)
from tests.support.logs import on_stdout
from tests.support.private import without_digests
from tests.support.stores import VAULT


@pytest.fixture
def world(context: DeliveryContext, aws: Any) -> DeliveryWorld:
    return DeliveryWorld(context)


def test_one_mail_goes_out_with_both_texts_and_the_ledger_and_the_audit_say_so(
    context: DeliveryContext,
    world: DeliveryWorld,
) -> None:
    answer = world.run()

    assert answer == {
        "recipient_ref": "k1.recipient",
        "outcome": "sent",
        "hold_reason": "",
        "delivery_id": world.delivery_id,
    }
    [mail] = sent_mails()
    assert mail["To"] == RECIPIENT.address
    assert mail["From"] == "notifications@ens.example"
    assert mail["Message-ID"] == f"<{world.delivery_id}@ens.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]).tzinfo is not None
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    for part in mail.iter_parts():
        for text in ("Amaka Okonjo", "Northtown General", "Ines Barros", "I48.91", "a-fib"):
            assert text in part.get_content()

    item = world.item
    assert item["state"] == "sent"
    assert item["ses_message_id"] == sent_ids()[0]
    assert (item["event_id"], item["channel"]) == (EVENT_ID, "email")
    assert (item["encounter_ref"], item["patient_ref"]) == ("k1.encounter", "k1.patient")

    [entry] = chain.entries(context, EVENT_ID)
    assert (entry["action"], entry["outcome"]) == ("SENT", "ok")
    assert entry["reasons"] == ["primary_care"]
    assert entry["delivery_id"] == world.delivery_id
    assert (entry["patient_ref"], entry["encounter_ref"]) == ("k1.patient", "k1.encounter")
    assert entry["documents"] == [without_empty(item["document"])]


def test_the_mail_in_the_vault_is_the_mail_that_went_out(world: DeliveryWorld) -> None:
    world.run()

    key = f"events/{EVENT_ID}/mail/{world.delivery_id}.eml"
    kept = boto3.client("s3").get_object(Bucket=VAULT, Key=key)["Body"].read()
    assert sent_bytes() == [kept]
    assert all(len(line) < 998 for line in kept.split(b"\r\n"))
    assert kept.isascii()


def test_a_second_run_sends_nothing_and_says_so(world: DeliveryWorld) -> None:
    assert world.run()["outcome"] == "sent"
    assert world.run()["outcome"] == "sent"

    assert len(sent_mails()) == 1
    assert world.actions == ["SENT", "ALREADY_SENT"]


def test_ses_is_told_our_ids_and_the_configuration_set_and_nothing_else(
    context: DeliveryContext,
    world: DeliveryWorld,
) -> None:
    from lambdas.delivery.mail.mailer import SES_CONFIG

    seen: dict[str, Any] = {}
    context.client("sesv2", SES_CONFIG).meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: seen.update(params)
    )
    world.run()

    assert seen["ConfigurationSetName"] == "ens-test"
    assert seen["EmailTags"] == [
        {"Name": "delivery_id", "Value": world.delivery_id},
        {"Name": "event_id", "Value": EVENT_ID},
    ]
    assert seen["Destination"] == {"ToAddresses": [RECIPIENT.address]}


def test_without_the_clinical_step_the_mail_goes_out_and_says_so(world: DeliveryWorld) -> None:
    world.task["clinical"] = {"outcome": "unavailable"}
    world.run()

    [mail] = sent_mails()
    for part in mail.iter_parts():
        assert "were not analysed" in part.get_content().replace("\n", " ")
        assert "I26.99" in part.get_content()
        assert "I48.91" not in part.get_content()


@pytest.mark.parametrize(
    ("clinical", "metric"),
    [
        ({"outcome": "unavailable"}, "FindingsMissing"),
        ({"unanswered": 1}, "FindingsMissing"),
        ({"unanswered": 0}, "FindingsComplete"),
        ({"outcome": "nothing_to_read"}, ""),
    ],
)
def test_a_notification_counts_as_one_with_or_without_the_findings_that_the_service_owed(
    world: DeliveryWorld, clinical: dict[str, Any], metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.task["clinical"].update(clinical)
    world.run()
    printed = capsys.readouterr().out.replace(" ", "")
    counted = {m for m in ("FindingsMissing", "FindingsComplete") if f'"{m}":[1.0]' in printed}
    assert counted == ({metric} if metric else set())


def test_of_one_analysis_each_recipient_gets_what_they_want_to_see(
    context: DeliveryContext, aws: Any
) -> None:
    without = replace(RECIPIENT, recipient_ref="k1.without", analysis=CostMode.OFF)
    world = DeliveryWorld(context, (RECIPIENT, without))
    world.run()
    world.run(without)

    told, untold = (mail.as_string() for mail in sent_mails())
    assert "I48.91" in told
    assert "I48.91" not in untold
    assert "propanolol" not in untold


def test_a_run_that_is_late_sends_nothing_and_leaves_it_to_the_next(
    world: DeliveryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.delivery.attempt.LATEST_START_MS", -1)
    with pytest.raises(DependencyUnavailableError, match="too late"):
        world.run()
    assert sent_mails() == []
    assert world.item == {}


def test_an_index_key_that_was_not_given_is_absent_rather_than_empty(world: DeliveryWorld) -> None:
    world.task["parsed"]["encounter_ref"] = ""
    assert world.run()["outcome"] == "sent"
    assert "encounter_ref" not in world.item


def test_a_recipient_that_the_registry_did_not_name_is_a_fault_of_ours(
    world: DeliveryWorld,
) -> None:
    stranger = replace(RECIPIENT, recipient_ref="k1.stranger")
    with pytest.raises(UnexpectedError, match="LookupError at lambdas/delivery"):
        world.run(stranger)


def test_nothing_private_is_logged_audited_or_kept_in_the_ledger(
    context: DeliveryContext, world: DeliveryWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = refusal("MessageRejected", message=f"{RECIPIENT.address} is bad, Okonjo too")
    with on_stdout("DeliverNotification"):
        with (
            ses_answers(context, refusal("AccessDenied", 403, "no Okonjo"), refused),
            pytest.raises(UnexpectedError),
        ):
            world.run()
        with ses_answers(context, refused), pytest.raises(DeliveryRefusedError):
            world.run()

    out = capsys.readouterr().out
    assert '"message":"ses SendEmail: MessageRejected"' in out
    written = [out, chain.entries(context, EVENT_ID), world.item]
    for text in map(str, written):
        assert text
        for value in PRIVATE:
            assert value not in without_digests(text)
