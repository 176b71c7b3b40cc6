"""Who is told, and why; who was weighed and is not told, and why not. Pure.

Only the registry makes a recipient: an active relationship with an active provider who has an
address. A provider whom the message names adds a reason to one of those, never a person or an address.
"""

from collections.abc import Callable, Mapping, Sequence

from lambdas.common.models import Considered, Recipient
from lambdas.lookup_identities.naming import Named
from lambdas.lookup_identities.records import REASONS, RELATIONSHIPS, Provider, Relationship
from lambdas.lookup_identities.registry_rows import is_address

RECIPIENT_OFF = "RECIPIENT_OFF"
"""The relationship has ended, or the provider is no longer active."""

NO_ENDPOINT = "NO_ENDPOINT"
"""The registry has no address for the provider, or no such provider."""

ENDPOINT_BAD = "ENDPOINT_BAD"
"""What the registry has is not an address."""

NO_RECIPIENT = "NO_RECIPIENT"
"""The message names a provider of the registry who is not related to the patient."""


def choose(
    relationships: Sequence[Relationship],
    providers: Mapping[str, Provider],
    named: Sequence[Named],
    reference: Callable[[str], str],
) -> tuple[tuple[Recipient, ...], tuple[Considered, ...]]:
    """The recipients, each once with every reason, and the refused; both in the order of provider ids.

    `providers` are the related ones by id; `reference` makes a recipient's reference of an id.
    """
    recipients, considered = [], []
    for relationship in sorted(relationships, key=lambda known: known.provider_id):
        provider = providers.get(relationship.provider_id)
        recipient_ref = reference(relationship.provider_id)
        reasons = _reasons(relationship, named)
        refusal = _refusal(relationship, provider)
        if provider is None or refusal:
            considered.append(Considered(recipient_ref, reasons[0], refusal))
        else:
            recipients.append(
                Recipient(
                    recipient_ref=recipient_ref,
                    reasons=reasons,
                    provider_id=provider.provider_id,
                    name=provider.name,
                    address=provider.address,
                )
            )
    considered += _strangers(relationships, named, reference)
    return tuple(recipients), tuple(considered)


def _refusal(relationship: Relationship, provider: Provider | None) -> str:
    if provider is None:
        return NO_ENDPOINT
    if not relationship.active or not provider.active:
        return RECIPIENT_OFF
    if not provider.address:
        return NO_ENDPOINT
    return "" if is_address(provider.address) else ENDPOINT_BAD


def _reasons(relationship: Relationship, named: Sequence[Named]) -> tuple[str, ...]:
    """Every reason for one provider in the order of `REASONS`."""
    roles = {name.role for name in named if name.provider_id == relationship.provider_id}
    # A kind that is not on the list came by another way than the import: it is care all the same.
    kinds = {kind if kind in RELATIONSHIPS else "care_team" for kind in relationship.kinds}
    return tuple(reason for reason in REASONS if reason in kinds | roles) or ("care_team",)


def _strangers(
    relationships: Sequence[Relationship],
    named: Sequence[Named],
    reference: Callable[[str], str],
) -> list[Considered]:
    related = {relationship.provider_id for relationship in relationships}
    roles: dict[str, str] = {}
    for name in named:
        if name.provider_id not in related:
            roles.setdefault(name.provider_id, name.role)
    return [
        Considered(reference(provider_id), role, NO_RECIPIENT)
        for provider_id, role in sorted(roles.items())
    ]
