"""A delivery when SES refuses, throttles, or does not answer."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
    UnexpectedError,
)
from lambdas.delivery.context import DeliveryContext
from tests.functional.lambdas.deliver_notification.world import (
    RECIPIENT,
    DeliveryWorld,
    refusal,
    sent_mails,
    ses_answers,
    with_address,
)

URL = "https://email.us-east-1.amazonaws.com"


@pytest.fixture
def world(context: DeliveryContext, aws: Any) -> DeliveryWorld:
    return DeliveryWorld(context)


@pytest.mark.parametrize(
    "failure",
    [
        refusal("TooManyRequestsException", 429),
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
    context: DeliveryContext, world: DeliveryWorld, failure: Exception
) -> None:
    with ses_answers(context, failure, failure, failure) as calls:
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
    context: DeliveryContext,
    world: DeliveryWorld,
    failure: Exception,
    it_went: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ses_answers(context, failure, after=it_went) as calls:
        assert world.run()["outcome"] == "unknown"
        assert world.run()["outcome"] == "unknown"

    assert len(calls) == 1
    assert len(sent_mails()) == int(it_went)
    assert world.item["state"] == "unknown"
    assert world.actions == ["UNKNOWN"]
    assert '"UnknownDelivery":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_refused_mail_is_an_outcome_of_its_recipient_and_is_not_tried_again(
    context: DeliveryContext,
    world: DeliveryWorld,
) -> None:
    with ses_answers(context, refusal("MessageRejected", message="Address blacklisted")) as calls:
        for _ in range(2):
            with pytest.raises(DeliveryRefusedError, match=r"^ses SendEmail: MessageRejected$"):
                world.run()

    assert len(calls) == 1
    assert sent_mails() == []
    assert world.item["state"] == "refused"
    assert world.actions == ["REFUSED"]


def test_one_refused_recipient_does_not_keep_another_from_being_told(
    context: DeliveryContext, aws: Any
) -> None:
    other = replace(RECIPIENT, recipient_ref="k1.other", address="kofi.adu@clinic.example")
    world = DeliveryWorld(context, recipients=(RECIPIENT, other))
    with ses_answers(context, refusal("MessageRejected")), pytest.raises(DeliveryRefusedError):
        world.run()

    assert world.run(other)["outcome"] == "sent"
    assert [mail["To"] for mail in sent_mails()] == [other.address]


@pytest.mark.parametrize("address", ["", "x@clinic.example\r\nBcc: all@evil.example"])
def test_a_bad_address_is_refused_before_anything_is_sent(
    context: DeliveryContext, aws: Any, address: str
) -> None:
    world = DeliveryWorld(context, recipients=(with_address(address),))
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
    context: DeliveryContext, world: DeliveryWorld, failure: Exception
) -> None:
    with ses_answers(context, failure):
        with pytest.raises(ConfigurationError):
            world.run()
        assert world.item["state"] == "claimed"
        assert world.run()["outcome"] == "sent"


def test_a_missing_grant_is_named_and_the_delivery_stays_open(
    context: DeliveryContext, world: DeliveryWorld
) -> None:
    with ses_answers(context, refusal("AccessDeniedException", 403, "User x is not authorized")):
        with pytest.raises(UnexpectedError, match="ClientError AccessDeniedException at lambdas/"):
            world.run()
        assert world.run()["outcome"] == "sent"


def test_an_unverified_sender_is_a_matter_of_configuration(
    world: DeliveryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_SES_FROM", "notifications@unverified.example")
    with pytest.raises(ConfigurationError, match="sending identity"):
        world.run()
