"""Decides the detail and protection of a recipient's mail: full, minimal, or full and encrypted."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lambdas.common.contracts.recipients.policy import LeftOut
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.errors import ConfigurationError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.items import AddressProblemState
from lambdas.delivery.ledger.sending import address_problems

NO_OWN_KEY = "no_own_key"
"""This environment cannot sign: it has no S/MIME secret, or an unusable one."""


@dataclass(frozen=True, slots=True)
class Detail:
    """`full` or `minimal`; `seal` encrypts; `reduced` is why it is less than the recipient asked for."""

    level: DetailLevel
    seal: Callable[[bytes], bytes] | None = None
    reduced: str = ""


def detail_for(context: DeliveryContext, recipient: Recipient) -> Detail:
    """The detail that this recipient gets. One who asked for encryption never gets full detail in the clear.

    `ENS_FULL_IN_CLEAR=forbidden` makes every unencrypted notification minimal, and so does the policy.
    """
    return detail_under(_asked_for(context, recipient), recipient)


def detail_under(detail: Detail, recipient: Recipient) -> Detail:
    """The detail, or `minimal` with its encryption where the policy lets the recipient have no more."""
    minimal = LeftOut.MINIMAL in recipient.policy.left_out
    return replace(detail, level=DetailLevel.MINIMAL) if minimal else detail


def _asked_for(context: DeliveryContext, recipient: Recipient) -> Detail:
    if recipient.detail is DetailLevel.SMIME:
        return _sealed(context, recipient)
    if recipient.detail is not DetailLevel.FULL or not context.settings.full_in_clear:
        return Detail(DetailLevel.MINIMAL)
    return Detail(DetailLevel.FULL)


def _sealed(context: DeliveryContext, recipient: Recipient) -> Detail:
    try:
        ring = context.keyring
    except ConfigurationError:
        ring = None
    if ring is None:
        return Detail(DetailLevel.MINIMAL, reduced=NO_OWN_KEY)
    # Only here: loading OpenSSL would cost every cold start a tenth of a second.
    from lambdas.delivery.mail import certificates, smime

    try:
        reader = certificates.usable(
            recipient.certificate, recipient.address, ring.anchors, ring.revocations
        )
    except certificates.BadCertificateError as bad:
        return Detail(DetailLevel.MINIMAL, reduced=str(bad))
    return Detail(DetailLevel.FULL, seal=lambda content: smime.enveloped(content, reader, ring))


def report(context: DeliveryContext, detail: Detail, recipient_ref: str, endpoint_ref: str) -> None:
    """Tells the operator that a recipient who asked for encryption got the minimum, and why."""
    if detail.reduced:
        address_problems.report(
            context,
            AddressProblemState.CERTIFICATE_BAD,
            endpoint_ref,
            recipient_ref=recipient_ref,
            reason=detail.reduced,
        )
