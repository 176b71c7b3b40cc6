"""Chooses the recipient when an address fails: the surrogate whom the directory names. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from lambdas.common.contracts.recipients.recipient import Recipient, RecipientReason
from lambdas.lookup_identities.care_team.recipients import recipient_of
from lambdas.registry.records import Provider


def surrogates(providers: Iterable[Provider]) -> set[str]:
    """The ids of those whom the providers name to be told instead of them."""
    return {known.absence.surrogate for known in providers if known.absence.surrogate}


def with_fallbacks(
    recipients: Sequence[Recipient],
    providers: Mapping[str, Provider],
    reference: Callable[[str], str],
) -> tuple[tuple[Recipient, ...], tuple[Recipient, ...]]:
    """The recipients, each with the reference of their fallback, and the fallbacks themselves.

    A fallback is active, wants to be told and has an address; no recipient is their own fallback.
    """
    told, fallbacks = [], {}
    for recipient in recipients:
        other = providers.get(providers[recipient.provider_id].absence.surrogate)
        fits = other and other.active and other.event_filter.notify and other.address
        if other is None or not fits or other.provider_id == recipient.provider_id:
            told.append(recipient)
            continue
        ref = reference(other.provider_id)
        told.append(replace(recipient, fallback_ref=ref))
        fallbacks[ref] = recipient_of(other, (RecipientReason.FALLBACK,), ref)
    return tuple(told), tuple(fallbacks.values())
