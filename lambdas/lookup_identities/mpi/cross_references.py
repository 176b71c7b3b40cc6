"""Finds the id in our domain to which the identifiers of a message lead, as PIX and PIXm do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hl7.warnings import MessageWarning, WarningCode
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier, one_patient
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError

MAX_ASKED = 3
"""Most ids of one message for which an MPI is asked about merges: each costs a query or two of the 3.6 s."""


@dataclass(frozen=True, slots=True)
class CrossReference:
    """The patient's id in our domain, "" without a match, and the positions that lead to it.

    `returned`: the MPI itself returned the id, so that a search for it must find the patient. `merged` are
    the ids of patients whom the MPI has merged into this one. `warnings` name the identifiers whose
    assigning authority the MPI does not know.
    """

    patient_id: str = field(repr=False)
    matched_on: tuple[str, ...]
    returned: bool
    merged: tuple[str, ...] = field(repr=False)
    warnings: tuple[MessageWarning, ...]


def cross_reference(
    usable: Sequence[UsableIdentifier],
    is_ours: Callable[[UsableIdentifier], bool],
    ask: Callable[[UsableIdentifier], tuple[str, ...] | None],
    survivor: Callable[[str], str],
) -> CrossReference:
    """Asks the MPI for the ids of each identifier that is not of our own domain.

    `ask` returns the ids in our domain, () for an unknown identifier, None for an unknown authority.
    `survivor` returns the id of the patient into whom one was merged, else the id itself; it is called
    where the identifiers lead to a few ids, because a message may have those of before and after a merge.
    Raises `DomainUnknownError` when the MPI knows no authority of the message, and the errors of
    `one_patient`.
    """
    candidates: dict[tuple[str, str], tuple[str, ...]] = {}
    returned: set[str] = set()
    foreign = []
    for identifier in usable:
        if is_ours(identifier):
            # An answer never holds the id that was asked for: of our own domain there is none.
            candidates[identifier.pairs()[0]] = (identifier.value,)
        elif (ids := ask(identifier)) is None:
            foreign.append(identifier.position)
        else:
            candidates[identifier.pairs()[0]] = ids
            returned.update(ids)
    if foreign and not candidates:
        raise DomainUnknownError(", ".join(foreign))
    named = {patient for ids in candidates.values() for patient in ids}
    into = {one: survivor(one) for one in sorted(named)} if 1 < len(named) <= MAX_ASKED else {}
    after = {
        pair: tuple(dict.fromkeys(into.get(one, one) for one in ids))
        for pair, ids in candidates.items()
    }
    patient_id, matched_on = one_patient(usable, after)
    merged = tuple(one for one in into if one != patient_id)
    warnings = tuple(MessageWarning(WarningCode.AUTHORITY_UNKNOWN, place) for place in foreign)
    return CrossReference(patient_id, tuple(matched_on), patient_id in returned, merged, warnings)
