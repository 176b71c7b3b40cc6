"""A mail whose headers alone are read is accepted, and refused, as one that is read whole."""

import email
from email.message import EmailMessage
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.ses import models
from moto.ses.models import ses_backends

from local.aws.clients import ACCOUNT, REGION
from local.patches.speed import ses


def mail(to: str, copies: str = "") -> bytes:
    """A mail with two parts, of which one says that it is to somebody else."""
    message = EmailMessage()
    message["From"], message["To"] = "ens@hospital.example", to
    if copies:
        message["Cc"] = copies
    message.set_content("To: else@provider.example\n\ntext\n")
    message.add_alternative("<p>text</p>", subtype="html")
    return message.as_bytes()


MAILS = {
    "one": mail("a@provider.example"),
    "copies": mail("A <a@provider.example>", "b@provider.example, c@provider.example"),
    "too many": mail(", ".join(f"p{n}@provider.example" for n in range(51))),
    "an address that is none": mail("a@provider example"),
    "no headers": b"\r\ntext",
}


def sent(raw: bytes) -> Any:
    """The recipients that SES counts, or its error."""
    with mock_aws():
        ses = boto3.client("sesv2")
        ses.create_email_identity(EmailIdentity="hospital.example")
        try:
            ses.send_email(FromEmailAddress="ens@hospital.example", Content={"Raw": {"Data": raw}})
        except ClientError as error:
            return error.response["Error"]
        (message,) = ses_backends[ACCOUNT][REGION].sent_messages
        return message.destinations, message.raw_data


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_has_the_same_recipients_or_error(
    name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "email", email)
    whole = sent(MAILS[name])
    ses.install()
    assert vars(models)["email"] is not email
    assert sent(MAILS[name]) == whole
