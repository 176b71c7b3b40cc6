"""Decides again, when a mail is about to be sent, whom it may tell, at which address and with which detail.

A notice may have waited for hours since its recipients were chosen. The registry is read as it is now.
A provider who left, an ended relationship or a new denial suppresses the notice. A changed address and a
stricter choice are used. A laxer choice is not: this notice was promised under the stricter one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import PolicyDecision, PolicyOutcome
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import (
    Addressee,
    Recipient,
    RecipientReason,
    RefusalReason,
)
from lambdas.common.senders import sender_named
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.decision import RefusedAddressee
from lambdas.policy.deciding import PolicyPatient, joined
from lambdas.registry.context import REGISTRY
from lambdas.registry.records import Provider
from lambdas.registry.snapshot import RegistrySnapshot, snapshot

T = TypeVar("T", DetailLevel, CostMode)
DETAILS = (DetailLevel.FULL, DetailLevel.SMIME, DetailLevel.MINIMAL)
ANALYSES = (CostMode.FULL, CostMode.CODED, CostMode.OFF)
"""The choices, the strictest last."""

Decide = Callable[[Recipient, Addressee, RegistrySnapshot], PolicyDecision]
"""The policy's decision about one addressee, with the consents of the snapshot."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An addressee who may not be told any more, with the reason and the policy's decision."""

    addressee: Addressee
    reason: RefusalReason
    policy: PolicyDecision = PolicyDecision()

    @property
    def noted(self) -> RefusedAddressee:
        """The addressee as the ledger keeps them."""
        one = self.addressee
        return RefusedAddressee(
            recipient_ref=one.recipient_ref,
            reason=self.reason,
            reasons=one.reasons,
            policy=self.policy,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """The recipient as they are to be told now; None where they may not be told any more.

    `refused` are those of the mail who may not be told, the recipient first. `apart` may be told, and can
    no longer share this mail: it is not sent, or goes to another address than theirs.
    """

    recipient: Recipient | None
    refused: tuple[Refused, ...] = ()
    apart: tuple[Addressee, ...] = ()

    @property
    def policy(self) -> PolicyDecision:
        """The decision on which the mail rests, or the one that suppresses it."""
        return self.recipient.policy if self.recipient else self.refused[0].policy


@dataclass(frozen=True, slots=True)
class ChosenNotice:
    """One notice about one event: its event, and the recipient who was chosen for it."""

    identities: Identities
    event: PatientEvent
    recipient: Recipient

    @property
    def withdraws(self) -> bool:
        """Whether it takes back what was told: it must reach those who were told, and discloses nothing new."""
        kind = self.recipient.event_kind or self.event.event_kind
        withdrawal = kind in CANCELS or self.recipient.other_patient
        return self.recipient.cancels is not None and withdrawal

    @property
    def patients(self) -> tuple[str, ...]:
        """All ids of the patient in the registry."""
        return tuple(filter(None, (self.identities.patient_id, *self.identities.merged_ids)))

    def stands_for(self, addressee: Addressee) -> tuple[str, ...]:
        """The ids of the providers in whose place the addressee is told; none for one told as themselves."""
        if RecipientReason.FALLBACK in addressee.reasons:
            return tuple(
                one.provider_id
                for known in self.identities.recipients
                if known.fallback_ref == addressee.recipient_ref
                for one in known.addressees
            )
        return addressee.stands_for


def standings(context: DeliveryContext, notices: Sequence[ChosenNotice]) -> list[Standing]:
    """The standing of each notice's recipient, all by one look at the registry.

    Raises `DependencyUnavailableError`: nothing is sent unchecked.
    """
    wanted = [
        (
            notice.patients,
            {
                provider_id
                for one in notice.recipient.addressees
                for provider_id in (one.provider_id, *notice.stands_for(one))
                if provider_id
            },
        )
        for notice in notices
    ]
    found = snapshot(context, wanted)
    from_registry = context.settings.provider_directory_name == REGISTRY
    return [
        _Judge(
            notice,
            found,
            sender_named(context, notice.event.sender).today(),
            from_registry,
            decider(context, notice),
        ).standing()
        for notice in notices
    ]


def decider(context: DeliveryContext, notice: ChosenNotice) -> Decide:
    """The policy's decision about one addressee of a notice, with the consents of a snapshot."""
    gate = context.gate(sender_named(context, notice.event.sender))

    def decide(recipient: Recipient, one: Addressee, found: RegistrySnapshot) -> PolicyDecision:
        born = notice.identities.birth_date or notice.event.patient.birth_date[:10]
        patient = PolicyPatient(birth_date=born, consents=found.consents(notice.patients))
        stands_in = replace(one, stands_for=notice.stands_for(one))
        return gate.decision(patient, notice.event, recipient, stands_in)

    return decide


@dataclass(frozen=True, slots=True)
class _Judge:
    """Applies the registry of one moment to one notice. `from_registry`: it also has the addresses.

    `today` is a day (YYYY-MM-DD) by the time zone of the notice's sender.
    """

    notice: ChosenNotice
    found: RegistrySnapshot
    today: str
    from_registry: bool
    decide: Decide

    def standing(self) -> Standing:
        """The recipient with those addressees who still share the mail, and the others."""
        refused: list[Refused] = []
        apart: list[Addressee] = []
        told: list[tuple[Addressee, Provider, PolicyDecision]] = []
        recipient = self.notice.recipient
        own, *others = recipient.addressees
        for one in (own, *others):
            provider = self.found.provider(one.provider_id)
            reason = self._reason(one, provider)
            if reason or provider is None:
                refused.append(Refused(one, reason or RefusalReason.NO_ENDPOINT))
                continue
            policy = self.decide(recipient, one, self.found)
            if policy.outcome is PolicyOutcome.SUPPRESS:
                why = RefusalReason(policy.reason or RefusalReason.NOT_PERMITTED)
                refused.append(Refused(one, why, policy))
            elif one is not own and (
                not told or self._address(provider) != self._address(told[0][1])
            ):
                apart.append(one)
            else:
                told.append((one, provider, policy))
        mail = self._mail(told) if told else None
        return Standing(mail, tuple(refused), tuple(apart))

    def _reason(self, one: Addressee, provider: Provider | None) -> RefusalReason | None:
        # The address of one who is told alone is checked, and refused, before the send.
        shares = len(self.notice.recipient.addressees) > 1
        if provider is None or (shares and self.from_registry and not provider.address):
            return RefusalReason.NO_ENDPOINT
        if not provider.active:
            return RefusalReason.RECIPIENT_OFF
        if self.notice.withdraws:
            return None
        if not provider.event_filter.notify:
            return RefusalReason.RECIPIENT_OFF
        absent = self.notice.stands_for(one)
        if not absent:
            return self._unrelated(one)
        reasons = [self._cannot_stand_for(one, other) for other in absent]
        return None if None in reasons else reasons[0]

    def _cannot_stand_for(self, one: Addressee, absent_id: str) -> RefusalReason | None:
        """The reason for which the addressee is no longer told in the place of another provider."""
        absent = self.found.provider(absent_id)
        if absent is None or not absent.active or absent.absence.surrogate != one.provider_id:
            return RefusalReason.RECIPIENT_OFF
        if not absent.event_filter.notify:
            return RefusalReason.RECIPIENT_OFF
        told = [
            other
            for known in self.notice.identities.recipients
            for other in known.addressees
            if other.provider_id == absent_id
        ]
        return self._unrelated(told[0] if told else Addressee("", provider_id=absent_id))

    def _unrelated(self, one: Addressee) -> RefusalReason | None:
        """The reason for which the provider is not related to the patient any more."""
        if one.by_event:
            return None
        relationship = self.found.relationship(self.notice.patients, one.provider_id)
        if relationship is not None and relationship.current(self.today):
            return None
        expired = relationship is not None and relationship.roster_until
        return RefusalReason.ROSTER_EXPIRED if expired else RefusalReason.RECIPIENT_OFF

    def _address(self, provider: Provider) -> str:
        """The provider's address now; that of the notice where another directory has the addresses."""
        chosen = self.notice.recipient.address
        return provider.address.casefold() if self.from_registry else chosen.casefold()

    def _mail(self, told: Sequence[tuple[Addressee, Provider, PolicyDecision]]) -> Recipient:
        """The mail to the recipient and the others, with the strictest choices of all."""
        recipient, provider = self.notice.recipient, told[0][1]
        now = [one.preferences for _, one, _ in told]
        return replace(
            recipient,
            also=tuple(one for one, _, _ in told[1:]),
            address=provider.address if self.from_registry else recipient.address,
            detail=_strictest(DETAILS, (recipient.detail, *(one.detail for one in now))),
            analysis=_strictest(ANALYSES, (recipient.analysis, *(one.analysis for one in now))),
            bundle=recipient.bundle and all(one.bundle for one in now),
            policy=joined((policy for _, _, policy in told), earlier=[recipient.policy]),
            certificate=now[0].certificate,
            language=now[0].language,
        )


def strictest_detail(recipients: Iterable[Recipient]) -> DetailLevel:
    """The strictest detail of these recipients: that of one mail to all of them."""
    return _strictest(DETAILS, (one.detail for one in recipients))


def _strictest(order: Sequence[T], choices: Iterable[T]) -> T:
    return max(choices, key=order.index)
