"""Chooses the recipients with their reasons, and names each provider who is not told, with the reason. Pure.

Only master data makes a recipient, in one of three ways:

- a current relationship, of the registry or a roster, with an active provider who has an address;
- the patient goes to a facility (PV1-37) whose code of this sender the registry has;
- a recipient is away and named a surrogate.

A person whom the message names adds a reason to one of them, never a person or an address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from lambdas.common.contracts.recipients.recipient import (
    Considered,
    Recipient,
    RecipientReason,
    RefusalReason,
    RelationshipType,
)
from lambdas.common.mail_address import is_address
from lambdas.lookup_identities.care_team.named_providers import Named
from lambdas.lookup_identities.care_team.preferences import NotificationSubject, wants
from lambdas.registry.records import Provider, Relationship

Reference = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CareTeam:
    """The team of care: relationships, the providers in it and their surrogates by id.

    `closed` are surrogates who may not be told of this event.
    """

    relationships: Sequence[Relationship] = field(repr=False)
    providers: Mapping[str, Provider] = field(repr=False)
    named: Sequence[Named] = field(repr=False, default=())
    event: NotificationSubject = NotificationSubject()
    closed: frozenset[str] = field(repr=False, default=frozenset())


def choose(
    team: CareTeam, reference: Reference
) -> tuple[tuple[Recipient, ...], tuple[Considered, ...]]:
    """The recipients, each once with every reason, and the refused; both in the order of provider ids.

    `reference` makes a recipient's reference of a provider's id.
    """
    today = team.event.today
    told: dict[str, tuple[RecipientReason, ...]] = {}
    until: dict[str, str] = {}
    absent: dict[str, tuple[str, ...]] = {}
    own: set[str] = set()
    considered = []
    for relationship in sorted(team.relationships, key=lambda known: known.provider_id):
        provider = team.providers.get(relationship.provider_id)
        reasons = _reasons(relationship, team.named, today)
        refusal = _refusal(relationship, provider, team.event)
        surrogate = None if provider is None or refusal else _surrogate(provider, team)
        if provider is None or refusal or surrogate:
            ref = reference(relationship.provider_id)
            considered.append(Considered(ref, reasons[0], refusal or RefusalReason.AWAY))
        if surrogate and provider:
            absent[surrogate] = (*absent.get(surrogate, ()), provider.provider_id)
            told[surrogate] = _joined(
                told.get(surrogate, ()), (*reasons, RecipientReason.SURROGATE)
            )
        elif provider is not None and not refusal:
            told[provider.provider_id] = _joined(told.get(provider.provider_id, ()), reasons)
            until[provider.provider_id] = relationship.roster_ends(today)
            own.add(provider.provider_id)
    by_event = {known.provider_id for known in team.relationships if known.by_event}
    recipients = tuple(
        replace(
            recipient_of(team.providers[provider_id], reasons, reference(provider_id)),
            roster_until=until.get(provider_id, ""),
            by_event=provider_id in by_event,
            stands_for=() if provider_id in own else absent.get(provider_id, ()),
        )
        for provider_id, reasons in sorted(told.items())
    )
    considered += _strangers(team, reference)
    # A provider who is told for another reason was not refused.
    chosen = {recipient.recipient_ref for recipient in recipients}
    return recipients, tuple(c for c in considered if c.recipient_ref not in chosen)


def recipient_of(
    provider: Provider, reasons: tuple[RecipientReason, ...], recipient_ref: str
) -> Recipient:
    """The provider as a recipient, with the preferences that the registry has now."""
    return Recipient(
        recipient_ref=recipient_ref,
        reasons=reasons,
        provider_id=provider.provider_id,
        name=provider.name,
        address=provider.address,
        facility=provider.facility,
        **asdict(provider.preferences),
    )


def _surrogate(provider: Provider, team: CareTeam) -> str | None:
    """The id of who is told instead; None while the provider is here, or the other is away too or cannot be told."""
    absence, today = provider.absence, team.event.today
    other = team.providers.get(absence.surrogate)
    if other is None or not absence.holds(today) or other.absence.holds(today):
        return None
    if _unreachable(other):
        return None
    return None if other.provider_id in team.closed else other.provider_id


def _refusal(
    relationship: Relationship, provider: Provider | None, event: NotificationSubject
) -> RefusalReason | None:
    if provider is None:
        return RefusalReason.NO_ENDPOINT
    if not relationship.current(event.today):
        return (
            RefusalReason.ROSTER_EXPIRED
            if relationship.roster_until
            else RefusalReason.RECIPIENT_OFF
        )
    if unreachable := _unreachable(provider):
        return unreachable
    return None if wants(provider.event_filter, event) else RefusalReason.RECIPIENT_FILTER


def _unreachable(provider: Provider) -> RefusalReason | None:
    if not provider.active or not provider.event_filter.notify:
        return RefusalReason.RECIPIENT_OFF
    if not provider.address:
        return RefusalReason.NO_ENDPOINT
    return None if is_address(provider.address) else RefusalReason.ENDPOINT_BAD


def _reasons(
    relationship: Relationship, named: Sequence[Named], today: str
) -> tuple[RecipientReason, ...]:
    """Every reason for one provider in the order of `RecipientReason`."""
    roles = {name.role for name in named if name.provider_id == relationship.provider_id}
    ended = (
        *relationship.types,
        *((RelationshipType.SUBSCRIBER,) if relationship.roster_until else ()),
    )
    types = relationship.current(today) or ended
    return _joined(types, tuple(roles)) or (RecipientReason.CARE_TEAM,)


def _joined(one: Iterable[str], other: Iterable[str]) -> tuple[RecipientReason, ...]:
    given = {*one, *other}
    return tuple(reason for reason in RecipientReason if reason in given)


def _strangers(team: CareTeam, reference: Reference) -> list[Considered]:
    related = {relationship.provider_id for relationship in team.relationships}
    roles: dict[str, str] = {}
    for name in team.named:
        if name.provider_id not in related:
            roles.setdefault(name.provider_id, name.role)
    return [
        Considered(reference(provider_id), RecipientReason(role), RefusalReason.NO_RECIPIENT)
        for provider_id, role in sorted(roles.items())
    ]
