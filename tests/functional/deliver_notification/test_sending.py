"""What a delivery does when SES and the ledger behave, and when SES does not."""

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from lambdas.common import audit
from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
    UnexpectedError,
)
from tests.conftest import VAULT
from tests.functional.deliver_notification.world import (
    EVENT_ID,
    PRIVATE,
    RECIPIENT,
    World,
    refusal,
    sent_bytes,
    sent_ids,
    sent_mails,
    ses_answers,
    with_address,
)
from tests.support.logs import on_stdout

URL = "https://email.us-east-1.amazonaws.com"


@pytest.fixture
def world(aws: Any) -> World:
    return World()


def test_one_mail_goes_out_with_both_texts_and_the_ledger_and_the_audit_say_so(
    world: World,
) -> None:
    answer = world.run()

    assert answer == {
        "recipient_ref": "k1.recipient",
        "outcome": "sent",
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

    [entry] = audit.entries(EVENT_ID)
    assert (entry["action"], entry["outcome"]) == ("SENT", "ok")
    assert entry["reasons"] == ["primary_care"]
    assert entry["delivery_id"] == world.delivery_id
    assert (entry["patient_ref"], entry["encounter_ref"]) == ("k1.patient", "k1.encounter")
    assert entry["documents"] == [item["document"]]


def test_the_mail_in_the_vault_is_the_mail_that_went_out(world: World) -> None:
    world.run()

    key = f"events/{EVENT_ID}/mail/{world.delivery_id}.eml"
    kept = boto3.client("s3").get_object(Bucket=VAULT, Key=key)["Body"].read()
    assert sent_bytes() == [kept]
    assert all(len(line) < 998 for line in kept.split(b"\r\n"))
    assert kept.isascii()


def test_a_second_run_sends_nothing_and_says_so(world: World) -> None:
    assert world.run()["outcome"] == "sent"
    assert world.run()["outcome"] == "sent"

    assert len(sent_mails()) == 1
    assert world.actions == ["SENT", "ALREADY_SENT"]


def test_ses_is_told_our_ids_and_the_configuration_set_and_nothing_else(world: World) -> None:
    from lambdas.common.aws import client
    from lambdas.deliver_notification.mailer import SES_CONFIG

    seen: dict[str, Any] = {}
    client("sesv2", SES_CONFIG).meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: seen.update(params)
    )
    world.run()

    assert seen["ConfigurationSetName"] == "ens-test"
    assert seen["EmailTags"] == [
        {"Name": "delivery_id", "Value": world.delivery_id},
        {"Name": "event_id", "Value": EVENT_ID},
    ]
    assert seen["Destination"] == {"ToAddresses": [RECIPIENT.address]}


@pytest.mark.parametrize(
    "failure",
    [
        refusal("TooManyRequestsException", 429),
        refusal("LimitExceededException"),
        refusal("SendingPausedException"),
        refusal("ThrottlingException"),
        ConnectTimeoutError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
    ],
    ids=lambda failure: (
        getattr(failure, "operation_name", "") and failure.response["Error"]["Code"]
    ),
)
def test_what_ses_surely_did_not_take_is_tried_again_until_it_does(
    world: World, failure: Exception
) -> None:
    with ses_answers(failure, failure, failure) as calls:
        for _ in range(3):
            with pytest.raises(DependencyUnavailableError):
                world.run()
            assert world.item["state"] == "claimed"
        assert world.run()["outcome"] == "sent"

    assert len(calls) == 4
    assert len(sent_mails()) == 1
    assert world.actions.count("SENT") == 1


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        refusal("InternalFailure", 500),
        refusal("ServiceUnavailable", 503),
    ],
)
@pytest.mark.parametrize("it_went", [True, False])
def test_what_may_have_gone_is_parked_and_never_repeated(
    world: World, failure: Exception, it_went: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with ses_answers(failure, after=it_went) as calls:
        assert world.run()["outcome"] == "unknown"
        assert world.run()["outcome"] == "unknown"

    assert len(calls) == 1
    assert len(sent_mails()) == int(it_went)
    assert world.item["state"] == "unknown"
    assert world.actions == ["UNKNOWN"]
    assert '"UnknownDelivery":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_refused_mail_is_an_outcome_of_its_recipient_and_is_not_tried_again(world: World) -> None:
    with ses_answers(refusal("MessageRejected", message="Address blacklisted")) as calls:
        for _ in range(2):
            with pytest.raises(DeliveryRefusedError, match=r"^ses SendEmail: MessageRejected$"):
                world.run()

    assert len(calls) == 1
    assert sent_mails() == []
    assert world.item["state"] == "refused"
    assert world.actions == ["REFUSED"]


def test_one_refused_recipient_does_not_keep_another_from_being_told(aws: Any) -> None:
    other = replace(RECIPIENT, recipient_ref="k1.other", address="kofi.adu@clinic.example")
    world = World(recipients=(RECIPIENT, other))
    with ses_answers(refusal("MessageRejected")), pytest.raises(DeliveryRefusedError):
        world.run()

    assert world.run(other)["outcome"] == "sent"
    assert [mail["To"] for mail in sent_mails()] == [other.address]


@pytest.mark.parametrize("address", ["", "x@clinic.example\r\nBcc: all@evil.example"])
def test_a_bad_address_is_refused_before_anything_is_sent(aws: Any, address: str) -> None:
    world = World(recipients=(with_address(address),))
    for _ in range(2):
        with pytest.raises(DeliveryRefusedError) as refused:
            world.run()
        assert not address or address not in str(refused.value)

    assert sent_mails() == []
    assert world.item["state"] == "refused"
    assert world.actions == ["REFUSED"]


@pytest.mark.parametrize(
    "failure",
    [
        refusal("MailFromDomainNotVerifiedException"),
        refusal("NotFoundException", 404, "Configuration set <x> does not exist."),
        refusal(
            "MessageRejected",
            message="Email address is not verified. The following identities failed the check in"
            " region US-EAST-1: notifications@ens.example",
        ),
    ],
)
def test_a_sending_identity_that_is_not_ready_is_the_operators_and_nothing_is_lost(
    world: World, failure: Exception
) -> None:
    with ses_answers(failure):
        with pytest.raises(ConfigurationError):
            world.run()
        assert world.item["state"] == "claimed"
        assert world.run()["outcome"] == "sent"


def test_a_missing_grant_is_named_and_the_delivery_stays_open(world: World) -> None:
    with ses_answers(refusal("AccessDeniedException", 403, "User x is not authorized")):
        with pytest.raises(UnexpectedError, match="ClientError AccessDeniedException at lambdas/"):
            world.run()
        assert world.run()["outcome"] == "sent"


def test_an_unverified_sender_is_a_matter_of_configuration(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_SES_FROM", "notifications@unverified.example")
    with pytest.raises(ConfigurationError, match="sending identity"):
        world.run()


def test_without_the_clinical_step_the_mail_goes_out_and_says_so(world: World) -> None:
    world.task["clinical"] = {"outcome": "unavailable"}
    world.run()

    [mail] = sent_mails()
    for part in mail.iter_parts():
        assert "were not analysed" in part.get_content().replace("\n", " ")
        assert "I26.99" in part.get_content()
        assert "I48.91" not in part.get_content()


def test_a_run_that_is_late_sends_nothing_and_leaves_it_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.deliver_notification.delivery.LATEST_START_MS", -1)
    with pytest.raises(DependencyUnavailableError, match="too late"):
        world.run()
    assert sent_mails() == []
    assert world.item == {}


def test_an_index_key_that_was_not_given_is_absent_rather_than_empty(world: World) -> None:
    world.task["parsed"]["encounter_ref"] = ""
    assert world.run()["outcome"] == "sent"
    assert "encounter_ref" not in world.item


def test_a_recipient_that_the_registry_did_not_name_is_a_fault_of_ours(world: World) -> None:
    stranger = replace(RECIPIENT, recipient_ref="k1.stranger")
    with pytest.raises(UnexpectedError, match="LookupError at lambdas/deliver_notification"):
        world.run(stranger)


def test_nothing_private_is_logged_audited_or_kept_in_the_ledger(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = refusal("MessageRejected", message=f"{RECIPIENT.address} is bad, Okonjo too")
    with on_stdout("DeliverNotification"):
        with (
            ses_answers(refusal("AccessDenied", 403, "no Okonjo"), refused),
            pytest.raises(UnexpectedError),
        ):
            world.run()
        with ses_answers(refused), pytest.raises(DeliveryRefusedError):
            world.run()

    out = capsys.readouterr().out
    assert '"message":"ses SendEmail: MessageRejected"' in out
    written = [out, audit.entries(EVENT_ID), world.item]
    for text in map(str, written):
        assert text
        for value in PRIVATE:
            assert value not in text
