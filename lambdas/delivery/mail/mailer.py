"""Builds the mail, stores it in the vault, and sends exactly the stored bytes with SES."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)
from botocore.exceptions import ConnectionError as AnyConnectionError

from lambdas.common.aws import vault
from lambdas.common.aws.clients import is_transient
from lambdas.common.contracts.document import Written
from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
    EnsError,
)
from lambdas.common.function.handler import Run
from lambdas.common.mail_address import is_address
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.letter.letter import Letter
from lambdas.delivery.mail.seal import METADATA, is_sealed, seal_of

SES_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
"""One try, and an answer or a timeout well before the function's 7 s end: a repeat is the ledger's to decide."""

NEVER_TOOK_IT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
"""No connection came about, so SES cannot have the mail."""

REFUSALS = frozenset({"MessageRejected", "BadRequestException"})
"""SES's answers that no retry changes and that concern this mail alone."""

MISCONFIGURED = frozenset(
    {"MailFromDomainNotVerifiedException", "NotFoundException", "AccountSuspendedException"}
)
"""SES's answers that concern every mail of the environment: identity, configuration set, account."""

QUOTA_TEXTS = ("daily message quota exceeded", "daily sending quota exceeded")
"""In SES's text of an answer for the account's daily quota. The same codes also answer the rate of a
second, which a retry in the next second solves.
https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html"""

QUOTA_CODES = frozenset({"LimitExceededException"})
"""SES's answer for a limit of the account that is no rate: a retry in the next second fails too."""

TRY_LATER = frozenset({"SendingPausedException"})
"""Transient too, beside those of `is_transient`: the account or the configuration set is paused."""


MADE_FOR = "made-for"
"""Name of the S3 metadata with the reference of the choices for which a mail was made."""


class AmbiguousSendError(Exception):
    """It is unknown whether SES took the mail: no answer came, or a 5xx."""


class QuotaReachedError(Exception):
    """SES did not take the mail: the account's daily quota is used up."""


def build(
    ses_from: str,
    letter: Letter,
    address: str,
    delivery_id: str,
    *,
    bundle: str = "",
    seal: Callable[[bytes], bytes] | None = None,
    thread: bytes = b"",
) -> bytes:
    """The MIME message: plain text first, HTML as its alternative (RFC 2046 5.1.4), the bundle attached.

    `seal` makes the content signed and encrypted lines; then only the envelope is in the clear. Message-ID
    and Date stand in the vault's copy only: SES replaces both when it sends (SES developer guide, "Amazon
    SES header fields"). The recipient has the reference in the subject. `thread` are the header lines that
    refer to the stay's other mails. `ses_from` is the sender, perhaps with a display name. Raises
    `ConfigurationError` when it is not an address.
    """
    sender = from_address(ses_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = Address(addr_spec=address)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{delivery_id}@{domain_of(ses_from)}>"
    # No out-of-office replies: nobody reads them, and they quote the mail (RFC 3834 5).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if seal is None:
        _fill(mail, letter, bundle)
        return thread + mail.as_bytes()
    content = EmailMessage(policy=SMTP)
    _fill(content, letter, bundle)
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
    mail["Content-Transfer-Encoding"] = "base64"
    mail["Content-Disposition"] = 'attachment; filename="smime.p7m"'
    return thread + mail.as_bytes() + seal(content.as_bytes())


def _fill(mail: EmailMessage, letter: Letter, bundle: str) -> None:
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if bundle:
        mail.add_attachment(
            bundle.encode(),
            maintype="application",
            subtype="fhir+json",
            filename="notification.json",
        )


def store(
    context: DeliveryContext,
    run: Run,
    event_id: str,
    delivery_id: str,
    mail: bytes,
    *,
    made_for: str = "",
) -> tuple[bytes, Written]:
    """Writes the mail to the vault unless a sealed one is there, and returns the stored one to be sent.

    A mail without the seal was not written by this function: it is counted and replaced. A mail that was
    made for another address or other choices (`made_for`) is replaced.
    """
    name, keys = f"mail/{delivery_id}.eml", context.audit_keys
    sealed = {METADATA: seal_of(keys, event_id, delivery_id, mail), MADE_FOR: made_for}
    stored = vault.write_once(context, event_id, name, mail, "message/rfc822", metadata=sealed)
    seal = stored.metadata.get(METADATA, "")
    if not is_sealed(seal, keys, event_id, delivery_id, stored.body):
        run.logger.error("a mail in the vault has no seal: replaced", delivery_id=delivery_id)
        run.count("MailWithoutSeal")
    elif stored.metadata.get(MADE_FOR, "") == made_for:
        return stored.body, stored.written
    else:
        run.logger.info(
            "a stored mail was made for earlier choices: replaced", delivery_id=delivery_id
        )
    stored = vault.write(context, event_id, name, mail, "message/rfc822", metadata=sealed)
    return stored.body, stored.written


def send(
    context: DeliveryContext, mail: bytes, address: str, event_id: str, delivery_id: str
) -> str:
    """Hands the mail to SES and returns SES's message id.

    Each error but `AmbiguousSendError` means that SES did not take the mail. `DeliveryRefusedError`: never;
    `ConfigurationError`: no mail until an operator acts; `DependencyUnavailableError`: perhaps later;
    `QuotaReachedError`: once some of the mails are 24 hours old. Any other error is a `ClientError`.
    """
    sender = from_address(context.settings.ses_from)
    ses = context.client("sesv2", SES_CONFIG)
    try:
        answer = ses.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [address]},
            Content={"Raw": {"Data": mail}},
            ConfigurationSetName=context.settings.ses_configuration_set,
            # SES puts them into its events: ids of ours, no patient data.
            EmailTags=[
                {"Name": "delivery_id", "Value": delivery_id},
                {"Name": "event_id", "Value": event_id},
            ],
        )
    except NEVER_TOOK_IT as error:
        raise DependencyUnavailableError(f"ses: {type(error).__name__}") from None
    except (HTTPClientError, AnyConnectionError) as error:
        raise AmbiguousSendError(type(error).__name__) from None
    except ClientError as error:
        raise translated(error, sender) from None
    finally:
        # A connection kept while the sandbox was frozen may be closed, and a send that fails on it is
        # ambiguous: the next one gets a connection of its own.
        ses.close()
    message_id: str = answer["MessageId"]
    return message_id


def translated(
    error: ClientError, sender: str
) -> EnsError | AmbiguousSendError | QuotaReachedError | ClientError:
    """SES's answer as our error. Texts are codes: SES's own text holds addresses."""
    code = error.response["Error"]["Code"]
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return AmbiguousSendError(code)
    text = error.response["Error"].get("Message", "").lower()
    if code in QUOTA_CODES or any(said in text for said in QUOTA_TEXTS):
        return QuotaReachedError(code)
    if is_transient(error) or code in TRY_LATER:
        return DependencyUnavailableError(f"ses SendEmail: {code}")
    # An unverified sender is answered like a refused mail; only the text tells them apart.
    unverified = sender.lower() in text
    if code in MISCONFIGURED or (code in REFUSALS and unverified):
        return ConfigurationError(
            f"ses SendEmail: {code}; the sending identity or set is not ready"
        )
    return DeliveryRefusedError(f"ses SendEmail: {code}") if code in REFUSALS else error


def domain_of(ses_from: str) -> str:
    """The domain of the sender's address; `ConfigurationError` when it is none."""
    return from_address(ses_from).rpartition("@")[2]


def from_address(ses_from: str) -> str:
    """The address in ENS_SES_FROM, without its display name; `ConfigurationError` when it is not one."""
    address = parseaddr(ses_from)[1]
    if not is_address(address):
        raise ConfigurationError("ENS_SES_FROM is not a mail address")
    return address
