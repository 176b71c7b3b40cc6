"""How much a recipient's mail may say, and how it is protected: full, minimal, or full and encrypted."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from lambdas.common.contracts.preferences import DetailLevel
from lambdas.common.contracts.recipient import Recipient
from lambdas.common.errors import ConfigurationError
from lambdas.delivery.ledger import problems
from lambdas.delivery.ledger.states import AddressProblemState

NO_OWN_KEY = "no_own_key"
"""This environment cannot sign: it has no S/MIME secret, or an unusable one."""


@dataclass(frozen=True, slots=True)
class Detail:
    """`full` or `minimal`; `seal` encrypts; `reduced` is why it is less than the recipient asked for."""

    level: DetailLevel
    seal: Callable[[bytes], bytes] | None = None
    reduced: str = ""


def detail_for(recipient: Recipient) -> Detail:
    """What this recipient gets. Who asked for encryption never gets full detail in the clear.

    `ENS_FULL_IN_CLEAR=forbidden` makes every unencrypted notification minimal.
    """
    if recipient.detail is DetailLevel.SMIME:
        return _sealed(recipient)
    if (
        recipient.detail is not DetailLevel.FULL
        or os.environ.get("ENS_FULL_IN_CLEAR") == "forbidden"
    ):
        return Detail(DetailLevel.MINIMAL)
    return Detail(DetailLevel.FULL)


def _sealed(recipient: Recipient) -> Detail:
    secret = os.environ.get("ENS_SMIME_SECRET", "")
    if not secret:
        return Detail(DetailLevel.MINIMAL, reduced=NO_OWN_KEY)
    # Only here: loading OpenSSL would cost every cold start a tenth of a second.
    from lambdas.delivery.message import certificates, smime

    try:
        ring = smime.keyring(secret)
        reader = certificates.usable(
            recipient.certificate, recipient.address, ring.anchors, ring.revocations
        )
    except ConfigurationError:
        return Detail(DetailLevel.MINIMAL, reduced=NO_OWN_KEY)
    except certificates.BadCertificateError as bad:
        return Detail(DetailLevel.MINIMAL, reduced=str(bad))
    return Detail(DetailLevel.FULL, seal=lambda content: smime.enveloped(content, reader, ring))


def report(detail: Detail, recipient_ref: str, endpoint_ref: str) -> None:
    """Tells the operator that a recipient who asked for encryption got the minimum, and why."""
    if detail.reduced:
        problems.report(
            AddressProblemState.CERTIFICATE_BAD,
            endpoint_ref,
            recipient_ref=recipient_ref,
            reason=detail.reduced,
        )
