"""Finds the references and the names of patients and providers, from the registry as it is now.

The audit holds references alone. A reference is an HMAC with the key of its time, so that a patient has one
for each key of the ring (docs/architecture.md#audit-and-references). Of patients no name is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.aws.item_reads import read_item
from lambdas.common.contracts.message.person import Name
from lambdas.common.keys import KeyRing
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.registry.keys import (
    Item,
    identifier_key,
    patient_key,
    provider_identifier_key,
    provider_key,
)
from lambdas.registry.records import NPI_AUTHORITY
from ops.aws_calls import if_exists
from ops.problem import DENIED_CODES, ProblemError

MERGES = 5
"""Merges that are followed, one after the other; LookupIdentities follows as many."""


@dataclass(frozen=True, slots=True)
class NamedProvider:
    """A provider as the registry knows them now; "" for what it lacks."""

    provider_id: str = field(repr=False)
    name: str = field(repr=False, default="")
    npi: str = field(repr=False, default="")
    address: str = field(repr=False, default="")


Names = dict[str, NamedProvider]
"""Providers by recipient reference, one entry for each key of the ring."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The references of a patient or provider, and the names of the providers concerned.

    `references` is empty for an identifier that the registry files nobody under.
    `merges_unread`: the role may not read the patient's own item, which names a later merge.
    """

    references: tuple[str, ...]
    names: Names = field(repr=False, default_factory=dict)
    merges_unread: bool = False


def references(keys: KeyRing, kind: str, identifier: str) -> tuple[str, ...]:
    """Returns the reference of an identifier with every key of the ring, the current key's first."""
    ids = dict.fromkeys((keys.current, *keys.keys))
    return tuple(keys.reference(kind, identifier, key_id=one) for one in ids)


def patient(context: LedgerContext, table: str, authority: str, value: str) -> Subject:
    """Returns the patients of an identifier: the registry's, those merged into them, and the survivors."""
    item = read_item(context, table, identifier_key(authority, value))
    filed = item.get("patient_id") or ()
    patients = dict.fromkeys((filed,) if isinstance(filed, str) else filed)
    if not patients:
        return Subject(())
    patients.update(dict.fromkeys(sorted(item.get("merged_from") or ())))
    circle = set(item.get("circle") or ())
    waiting, merges_unread = list(patients), False
    for _ in range(MERGES):
        items = [_patient(context, table, one) for one in waiting]
        merges_unread |= None in items
        known = [one for one in items if one]
        circle.update(*(one.get("circle") or () for one in known))
        survivors = {one["merged_into"] for one in known if one.get("merged_into")}
        waiting = sorted(survivors - patients.keys())
        patients.update(dict.fromkeys(waiting))
    keys = context.reference_keys
    return Subject(
        tuple(one for known in patients for one in references(keys, "patient", known)),
        names(context, table, circle),
        merges_unread,
    )


def provider(context: LedgerContext, table: str, provider_id: str = "", npi: str = "") -> Subject:
    """Returns a provider by the registry's id or by NPI.

    An id that the registry does not know (any more) is searched for in the audit all the same. Raises
    `ProblemError` for an unknown NPI.
    """
    if npi:
        item = read_item(context, table, provider_identifier_key(NPI_AUTHORITY, npi))
        provider_id = item.get("provider_id") or ""
        if not provider_id:
            raise ProblemError("The registry has no provider with this NPI: give the id, --id.")
    return Subject(
        references(context.reference_keys, "recipient", provider_id),
        names(context, table, [provider_id]),
    )


def names(context: LedgerContext, table: str, provider_ids: Iterable[str]) -> Names:
    """Returns these providers and their surrogates, by reference."""
    found: Names = {}
    waiting = sorted(provider_ids)
    seen = set()
    while waiting:
        provider_id = waiting.pop()
        seen.add(provider_id)
        item = read_item(context, table, provider_key(provider_id))
        if not item:
            continue
        known = _named(provider_id, item)
        for reference in references(context.reference_keys, "recipient", provider_id):
            found[reference] = known
        other = item.get("surrogate") or ""
        if other and other not in seen and other not in waiting:
            waiting.append(other)
    return found


def _named(provider_id: str, item: Item) -> NamedProvider:
    parts = {part: item.get(part) or "" for part in ("family", "given", "prefix")}
    return NamedProvider(
        provider_id, Name(**parts).display(), item.get("npi") or "", item.get("email") or ""
    )


def _patient(context: LedgerContext, table: str, patient_id: str) -> Item | None:
    """The patient's own item, {} where it is missing; None for a role that may not read patients."""
    return if_exists(lambda: read_item(context, table, patient_key(patient_id)), *DENIED_CODES)
