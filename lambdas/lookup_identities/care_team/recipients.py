"""Who is told, and why; who was weighed and is not told, and why not. Pure.

Only master data makes a recipient: a current relationship (the registry's, or a roster's) with an
active provider who has an address; the facility to which the patient goes (PV1-37), when the registry
files the sender's own code under a facility; and the surrogate whom one of those named while away. A
person whom the message names adds a reason to one of them, never a person or an address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from lambdas.common.contracts.models import Considered, Recipient
from lambdas.lookup_identities.care_team.named_providers import Named
from lambdas.lookup_identities.care_team.preferences import (
    RECIPIENT_FILTER,
    NotificationSubject,
    wants,
)
from lambdas.lookup_identities.registry.records import (
    REASONS,
    RELATIONSHIPS,
    SURROGATE,
    Provider,
    Relationship,
)
from lambdas.lookup_identities.registry.rows import is_address

RECIPIENT_OFF = "RECIPIENT_OFF"
"""The relationship has ended, the provider is no longer active, or wants to be told nothing."""

ROSTER_EXPIRED = "ROSTER_EXPIRED"
"""Nothing but an expired roster related the provider to the patient."""

AWAY = "AWAY"
"""The provider is away, and the surrogate is told in their place."""

NO_ENDPOINT = "NO_ENDPOINT"
"""The registry has no address for the provider, or no such provider."""

ENDPOINT_BAD = "ENDPOINT_BAD"
"""What the registry has is not an address."""

NO_RECIPIENT = "NO_RECIPIENT"
"""The message names a provider of the registry who is not related to the patient."""

Reference = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Circle:
    """The circle of care: relationships, the providers in it and their surrogates by id."""

    relationships: Sequence[Relationship] = field(repr=False)
    providers: Mapping[str, Provider] = field(repr=False)
    named: Sequence[Named] = field(repr=False, default=())
    occasion: NotificationSubject = NotificationSubject()


def choose(
    circle: Circle, reference: Reference
) -> tuple[tuple[Recipient, ...], tuple[Considered, ...]]:
    """The recipients, each once with every reason, and the refused; both in the order of provider ids.

    `reference` makes a recipient's reference of a provider's id.
    """
    today = circle.occasion.today
    told: dict[str, tuple[str, ...]] = {}
    until: dict[str, str] = {}
    considered = []
    for relationship in sorted(circle.relationships, key=lambda known: known.provider_id):
        provider = circle.providers.get(relationship.provider_id)
        reasons = _reasons(relationship, circle.named, today)
        refusal = _refusal(relationship, provider, circle.occasion)
        surrogate = None if provider is None or refusal else _surrogate(provider, circle)
        if provider is None or refusal or surrogate:
            ref = reference(relationship.provider_id)
            considered.append(Considered(ref, reasons[0], refusal or AWAY))
        if surrogate:
            told[surrogate] = _joined(told.get(surrogate, ()), (*reasons, SURROGATE))
        elif provider is not None and not refusal:
            told[provider.provider_id] = _joined(told.get(provider.provider_id, ()), reasons)
            until[provider.provider_id] = relationship.roster_ends(today)
    recipients = tuple(
        replace(
            _recipient(circle.providers[provider_id], reasons, reference),
            roster_until=until.get(provider_id, ""),
        )
        for provider_id, reasons in sorted(told.items())
    )
    considered += _strangers(circle, reference)
    # Who is told for another reason was not refused.
    chosen = {recipient.recipient_ref for recipient in recipients}
    return recipients, tuple(c for c in considered if c.recipient_ref not in chosen)


def surrogates(providers: Iterable[Provider], today: str) -> list[str]:
    """The ids of those who stand in today for one of the providers."""
    found = (known.wishes for known in providers)
    return [wishes.surrogate for wishes in found if wishes.surrogate and wishes.away(today)]


def _recipient(provider: Provider, reasons: tuple[str, ...], reference: Reference) -> Recipient:
    return Recipient(
        recipient_ref=reference(provider.provider_id),
        reasons=reasons,
        provider_id=provider.provider_id,
        name=provider.name,
        address=provider.address,
        **asdict(provider.manner),
    )


def _surrogate(provider: Provider, circle: Circle) -> str | None:
    """The id of who is told instead; None while the provider is here, or the other cannot be told."""
    wishes = provider.wishes
    other = circle.providers.get(wishes.surrogate)
    if other is None or not wishes.away(circle.occasion.today) or _unreachable(other):
        return None
    return other.provider_id


def _refusal(
    relationship: Relationship, provider: Provider | None, occasion: NotificationSubject
) -> str:
    if provider is None:
        return NO_ENDPOINT
    if not relationship.current(occasion.today):
        return ROSTER_EXPIRED if relationship.roster_until else RECIPIENT_OFF
    if unreachable := _unreachable(provider):
        return unreachable
    return "" if wants(provider.wishes, occasion) else RECIPIENT_FILTER


def _unreachable(provider: Provider) -> str:
    if not provider.active or not provider.wishes.notify:
        return RECIPIENT_OFF
    if not provider.address:
        return NO_ENDPOINT
    return "" if is_address(provider.address) else ENDPOINT_BAD


def _reasons(relationship: Relationship, named: Sequence[Named], today: str) -> tuple[str, ...]:
    """Every reason for one provider in the order of `REASONS`."""
    roles = {name.role for name in named if name.provider_id == relationship.provider_id}
    ended = (*relationship.kinds, *(("subscriber",) if relationship.roster_until else ()))
    # A kind that is not on the list came by another way than the import: it is care all the same.
    kinds = {
        kind if kind in RELATIONSHIPS else "care_team"
        for kind in relationship.current(today) or ended
    }
    return _joined(tuple(kinds), tuple(roles)) or ("care_team",)


def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(reason for reason in REASONS if reason in one or reason in other)


def _strangers(circle: Circle, reference: Reference) -> list[Considered]:
    related = {relationship.provider_id for relationship in circle.relationships}
    roles: dict[str, str] = {}
    for name in circle.named:
        if name.provider_id not in related:
            roles.setdefault(name.provider_id, name.role)
    return [
        Considered(reference(provider_id), role, NO_RECIPIENT)
        for provider_id, role in sorted(roles.items())
    ]
