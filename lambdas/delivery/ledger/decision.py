"""The decision on which a mail rests, as the ledger keeps it until its audit entries are written."""

from dataclasses import dataclass, replace
from typing import Self

from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import RecipientReason, RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAddressee:
    """An addressee whom the mail leaves out, the reason, and the policy's decision about them."""

    recipient_ref: str
    reason: RefusalReason
    reasons: tuple[RecipientReason, ...] = ()
    policy: PolicyDecision = PolicyDecision()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDecision:
    """The policy's decision about a mail, the mail's detail, and the addressees who are left out.

    It is written with the delivery's claim. If that run dies after the send, the next run makes the audit
    entries from it, because the registry, and with it the decision, may have changed. `detail` is None
    where no mail was made. `reduced` is the member of `Detail`.
    """

    policy: PolicyDecision = PolicyDecision()
    detail: DetailLevel | None = None
    reduced: str = ""
    refused: tuple[RefusedAddressee, ...] = ()

    @classmethod
    def of(
        cls,
        policy: PolicyDecision,
        refused: tuple[RefusedAddressee, ...] = (),
        detail: DetailLevel | None = None,
        reduced: str = "",
    ) -> Self:
        """The decision with the members of policies that an audit entry names, and no others."""
        return cls(
            policy=_for_audit(policy),
            detail=detail,
            reduced=reduced,
            refused=tuple(replace(one, policy=_for_audit(one.policy)) for one in refused),
        )


def _for_audit(policy: PolicyDecision) -> PolicyDecision:
    """Without the hidden categories: the ledger's readers need not know that a stay has such findings."""
    return replace(policy, hidden_findings=(), notices=(), further=())
