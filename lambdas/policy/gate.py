"""The policy's gate: decides what each recipient may be told, and suppresses those who may be told nothing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lambdas.common.contracts.encounters.encounter import Change
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyDecision,
    PolicyOutcome,
    SuppressionReason,
)
from lambdas.common.contracts.recipients.recipient import (
    Addressee,
    Considered,
    Recipient,
    RefusalReason,
)
from lambdas.policy.deciding import PolicyPatient, PolicyRecipient, PolicyStay, decide, joined
from lambdas.policy.rules import Policy, RecipientKind

PART_OF = {
    Change.DIAGNOSIS: LeftOut.DIAGNOSIS,
    Change.DISPOSITION: LeftOut.DESTINATION,
    Change.DESTINATION: LeftOut.DESTINATION,
}
"""The part of a notification that holds the detail of an update."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The policies on one day (YYYY-MM-DD, in the sender's time zone), for senders of one jurisdiction."""

    policies: Sequence[Policy]
    jurisdiction: str
    day: str

    def passed(self, identities: Identities, event: PatientEvent) -> Identities:
        """The identities with each recipient's decision; suppressed recipients are in `considered`.

        A mail of several providers goes to those who may be told, without the parts that any decision
        leaves out.
        """
        patient = PolicyPatient(birth_date=identities.birth_date, consents=identities.consents)
        told: list[Recipient] = []
        suppressed: list[Considered] = []
        for recipient in identities.recipients:
            decided = [
                (one, self.decision(patient, event, recipient, one)) for one in recipient.addressees
            ]
            suppressed += [_considered(*pair) for pair in decided if _is_suppressed(pair[1])]
            open_ones = [pair for pair in decided if not _is_suppressed(pair[1])]
            if open_ones:
                told.append(_mail_to(recipient, open_ones))
        fallbacks = [
            replace(one, policy=decision)
            for one in identities.fallbacks
            for decision in [self.decision(patient, event, one, one.addressees[0])]
            if not _is_suppressed(decision)
        ]
        reachable = {one.recipient_ref for one in (*identities.recipients, *fallbacks)}
        reachable -= {one.recipient_ref for one in suppressed}
        chosen = {ref.recipient_ref for one in told for ref in one.addressees}
        return replace(
            identities,
            recipients=tuple(
                one if one.fallback_ref in reachable else replace(one, fallback_ref="")
                for one in told
            ),
            fallbacks=tuple(fallbacks),
            considered=(
                *identities.considered,
                *(one for one in suppressed if one.recipient_ref not in chosen),
            ),
        )

    def decision(
        self, patient: PolicyPatient, event: PatientEvent, mail: Recipient, addressee: Addressee
    ) -> PolicyDecision:
        """The decision about one addressee of a mail; an update of which nothing is left is suppressed."""
        decision = decide(
            patient,
            PolicyStay(
                marks=event.marks,
                jurisdiction=self.jurisdiction,
                event_kind=mail.event_kind or event.event_kind,
            ),
            PolicyRecipient(
                provider_id=addressee.provider_id,
                reasons=addressee.reasons,
                kind=RecipientKind.FACILITY if addressee.facility else RecipientKind.PERSON,
                stands_for=addressee.stands_for,
            ),
            self.policies,
            self.day,
        )
        if _nothing_left(event, mail, decision):
            return replace(
                decision,
                outcome=PolicyOutcome.SUPPRESS,
                reason=SuppressionReason.NOTHING_LEFT,
                left_out=(),
                notices=(),
            )
        return decision


def _nothing_left(event: PatientEvent, mail: Recipient, decision: PolicyDecision) -> bool:
    """Whether the notice is an update of whose details none may be told."""
    if mail.event_kind is not EventKind.UPDATE or not decision.left_out or not event.decision:
        return False
    notices = (one for one in event.decision.notices if one.kind is EventKind.UPDATE)
    changes = {change for notice in notices for change in notice.changes}
    parts = {PART_OF.get(change) for change in changes}
    return bool(changes) and (
        LeftOut.MINIMAL in decision.left_out or parts <= set(decision.left_out)
    )


def _is_suppressed(decision: PolicyDecision) -> bool:
    return decision.outcome is PolicyOutcome.SUPPRESS


def _considered(addressee: Addressee, decision: PolicyDecision) -> Considered:
    reason = decision.reason or SuppressionReason.NOT_PERMITTED
    return Considered(
        addressee.recipient_ref,
        addressee.reasons[0],
        RefusalReason(reason.value),
        policy_file=decision.rule.file,
        policy_rule=decision.rule.rule,
        policy_version=decision.rule.version,
        consent_id=decision.consent_id,
    )


def _mail_to(recipient: Recipient, told: Sequence[tuple[Addressee, PolicyDecision]]) -> Recipient:
    """The mail to these addressees; it is the first one's, without the parts that any decision leaves out."""
    mail = recipient.mail_to(*(one for one, _ in told))
    return replace(mail, policy=joined(decision for _, decision in told))
