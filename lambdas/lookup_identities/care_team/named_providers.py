"""Finds the providers of the registry that a message's PD1, ROL and PV1 name. Pure.

A provider is found by National Provider Identifier, when its check digit is right, and by identifier and
assigning authority. A name finds only a provider already related to the patient, and only when it fits
exactly one. Where the registry has the number, the name beside it is not used.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.lookup_identities.matching.demographics import given, same_name
from lambdas.lookup_identities.matching.identifiers import MAX_IDENTIFIER_CHARACTERS
from lambdas.registry.npi import NPI_UNIVERSAL_ID, is_npi
from lambdas.registry.records import NPI_AUTHORITY, Provider

ProviderIds = Mapping[tuple[str, str], str]
"""(authority, value) -> the provider who has it."""


@dataclass(frozen=True, slots=True)
class Named:
    """A provider of the registry whom the message names, and in which role."""

    provider_id: str = field(repr=False)
    role: PractitionerRole


def identifier_pairs(practitioner: Practitioner) -> list[tuple[str, str]]:
    """Each (authority, value) under which a practitioner's number is looked up."""
    value, authority = given(practitioner.identifier), given(practitioner.assigning_authority)
    if not value or max(len(value), len(authority)) > MAX_IDENTIFIER_CHARACTERS:
        return []
    pairs = []
    if is_npi(value) and (_says_npi(practitioner) or not authority):
        pairs.append((NPI_AUTHORITY, value))
    if authority and not _says_npi(practitioner):
        pairs.append((authority, value))
    return pairs


def named_providers(
    practitioners: Sequence[Practitioner], related: Iterable[Provider], filed: ProviderIds
) -> tuple[list[Named], list[MessageWarning]]:
    """The practitioners' providers in the message's order, and a warning for each wrong check digit."""
    candidates = list(related)
    named, warnings = [], []
    for practitioner in practitioners:
        if _says_npi(practitioner) and not is_npi(given(practitioner.identifier)):
            position = practitioner.field or practitioner.role
            warnings.append(MessageWarning(WarningCode.NPI_INVALID, position))
        provider_id = _by_number(practitioner, filed) or _by_name(practitioner, candidates)
        if provider_id:
            named.append(Named(provider_id, practitioner.role))
    return list(dict.fromkeys(named)), warnings


def _says_npi(practitioner: Practitioner) -> bool:
    by_type = given(practitioner.identifier_type).upper() == "NPI"
    authority = given(practitioner.assigning_authority)
    by_authority = authority in (NPI_AUTHORITY, NPI_UNIVERSAL_ID)
    return bool(given(practitioner.identifier)) and (by_type or by_authority)


def _by_number(practitioner: Practitioner, filed: ProviderIds) -> str:
    found = (filed.get(pair, "") for pair in identifier_pairs(practitioner))
    return next((provider_id for provider_id in found if provider_id), "")


def _by_name(practitioner: Practitioner, related: Sequence[Provider]) -> str:
    number = given(practitioner.identifier)
    fitting = [
        provider.provider_id
        for provider in related
        if same_name(practitioner.name.family, provider.name.family)
        and _given_names_fit(practitioner.name.given, provider.name.given)
        # A name does not override another person's NPI.
        and not (is_npi(number) and provider.npi and provider.npi != number)
    ]
    return fitting[0] if len(fitting) == 1 else ""


def _given_names_fit(message: str, registry: str) -> bool:
    """Equal, or one the initial of the other; a surname alone names nobody."""
    one, other = given(message).rstrip("."), given(registry).rstrip(".")
    if not one or not other:
        return False
    shorter = min(len(one), len(other))
    return same_name(one, other) or (shorter == 1 and same_name(one[0], other[0]))
