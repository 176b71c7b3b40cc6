"""Selects the usable identifiers of a message, and the one patient whom they name. Pure.

An authority has a namespace (CX-4.1), a universal id (CX-4.2), or both (HL7 v2.5.1 chapter 2A, CX, HD).
An identifier is looked up under each that is given and that the sender may assert. Its value is used as
written, without blanks around it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.errors import (
    IdentityAmbiguousError,
    IdentityConflictError,
    UnprocessableMessageError,
)
from lambdas.common.senders import SenderAuthorities
from lambdas.lookup_identities.matching.demographics import given

NOT_PATIENTS = frozenset({"AN", "ANC", "AND", "ANT", "VN"})
"""Identifier types of accounts and visits (HL7 table 0203): many of them belong to one patient."""

OWN_NUMBERS = frozenset({"", "MR", "PI", "PT"})
"""Types to which a sender's default authority applies; a passport or a driver's licence has another."""

WILDCARDS = frozenset("*?%")
"""Characters that a search may take for any others. HL7 and many indexes have no escape for them."""

MAX_IDENTIFIER_CHARACTERS = 240
"""Characters of an identifier or authority that are looked up; a table key holds 2,048 bytes."""

Candidates = Mapping[tuple[str, str], Sequence[str]]
"""(authority, value) -> the patients who have it."""


@dataclass(frozen=True, slots=True)
class UsableIdentifier:
    """An identifier with each authority under which it is looked up, and where it stood."""

    position: str
    value: str = field(repr=False)
    authorities: tuple[str, ...] = field(repr=False)

    def pairs(self) -> list[tuple[str, str]]:
        """Each (authority, value) to look up."""
        return [(authority, self.value) for authority in self.authorities]


def usable_identifiers(
    identifiers: Sequence[PatientIdentifier], authorities: SenderAuthorities
) -> tuple[list[UsableIdentifier], list[MessageWarning]]:
    """The identifiers that are looked up, and a warning for each that names a patient and is not.

    One without authority takes the sender's default, when that is set and the identifier is of a type
    that the sender itself issues. Others need an authority that the sender may assert.
    """
    usable, warnings = [], []
    for position, identifier in zip(positions_of(identifiers), identifiers, strict=True):
        value, kind = given(identifier.value), given(identifier.identifier_type).upper()
        if not value or kind in NOT_PATIENTS:
            continue
        named = [given(identifier.assigning_authority), given(identifier.universal_id)]
        if not any(named) and kind in OWN_NUMBERS:
            named = [authorities.default]
        allowed = tuple(dict.fromkeys(name for name in named if authorities.allows(name)))
        if not any(named):
            warnings.append(MessageWarning(WarningCode.NO_AUTHORITY, position))
        elif not allowed:
            warnings.append(MessageWarning(WarningCode.AUTHORITY_NOT_ALLOWED, position))
        elif max(map(len, (value, *allowed))) > MAX_IDENTIFIER_CHARACTERS:
            warnings.append(MessageWarning(WarningCode.IDENTIFIER_TOO_LONG, position))
        elif WILDCARDS.intersection(value):
            warnings.append(MessageWarning(WarningCode.IDENTIFIER_WILDCARD, position))
        else:
            usable.append(UsableIdentifier(position, value, allowed))
    return usable, warnings


AUTHORITY_FAULTS = frozenset({WarningCode.NO_AUTHORITY, WarningCode.AUTHORITY_NOT_ALLOWED})


def authority_faults(
    usable: Sequence[UsableIdentifier], warnings: Sequence[MessageWarning]
) -> tuple[str, ...]:
    """The positions of identifiers whose authority is the reason why none is looked up; () when one is.

    Raises `UnprocessableMessageError` when the message has no identifier of a patient at all, or only
    such that are too long.
    """
    if usable:
        return ()
    if not warnings:
        raise UnprocessableMessageError(
            "PID-3, PID-2 and PID-4 are empty, or have account and visit numbers only"
        )
    faults = tuple(one.position for one in warnings if one.code in AUTHORITY_FAULTS)
    if not faults:
        raise UnprocessableMessageError(
            f"{listed([one.position for one in warnings])}: longer than {MAX_IDENTIFIER_CHARACTERS} characters,"
            " or with a wildcard (* ? %)"
        )
    return faults


def one_patient(
    usable: Sequence[UsableIdentifier], candidates: Candidates
) -> tuple[str, list[str]]:
    """The one patient whom the identifiers name, and the positions that do; ("", []) without a match.

    Raises `IdentityAmbiguousError` when one identifier has several patients (never the first of
    them), and `IdentityConflictError` when two identifiers have different ones.
    """
    named: dict[str, set[str]] = {}
    for identifier in usable:
        patients = {patient for pair in identifier.pairs() for patient in candidates.get(pair, ())}
        if patients:
            named[identifier.position] = patients
    several = [position for position, patients in named.items() if len(patients) > 1]
    if several:
        raise IdentityAmbiguousError(f"{listed(several)}: the registry knows several patients")
    if len(set().union(*named.values())) > 1:
        raise IdentityConflictError(f"{listed(list(named))} name different patients")
    positions = list(named)
    return (next(iter(named[positions[0]])), positions) if positions else ("", [])


def positions_of(identifiers: Sequence[PatientIdentifier]) -> list[str]:
    """The field of each identifier: `PID-3`, or `PID-3[2]` among several of one field."""
    fields = [identifier.field for identifier in identifiers]
    repeated = {name for name, count in Counter(fields).items() if count > 1}
    seen: Counter[str] = Counter()
    positions = []
    for name in fields:
        seen[name] += 1
        positions.append(f"{name}[{seen[name]}]" if name in repeated else name)
    return positions


def listed(positions: Sequence[str]) -> str:
    """The positions in words: `PID-3, PID-5.1 and PID-7`."""
    if len(positions) == 1:
        return positions[0]
    return f"{', '.join(positions[:-1])} and {positions[-1]}"
