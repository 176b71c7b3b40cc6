"""Asks an index outside who the patient is, and lets the audit hear of every look-up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from lambdas.common.contracts.patient import Patient
from lambdas.common.errors import ConfigurationError, EnsError
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier, agreeing
from lambdas.lookup_identities.mpi import cache
from lambdas.lookup_identities.mpi.clients import MpiClient
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError, Outcome, outcome_of
from lambdas.lookup_identities.registry.records import Match


@dataclass(frozen=True, slots=True)
class Query:
    """A look-up for the audit: the identifiers asked for, and what came of it.

    `from_cache`: it was answered from the cache of MPI answers.
    """

    asked: tuple[tuple[str, str], ...] = field(repr=False)
    outcome: Outcome
    from_cache: bool = False

    @classmethod
    def of(
        cls,
        usable: Sequence[UsableIdentifier],
        answer: Match | Exception | None,
        from_cache: bool = False,
    ) -> Self:
        """The look-up of identifiers that ended in an answer, or in an exception."""
        asked = tuple(identifier.pairs()[0] for identifier in usable)
        return cls(asked, outcome_of(answer), from_cache)


Tell = Callable[[Query], None]


def ask_mpi(
    index: MpiClient, usable: Sequence[UsableIdentifier], patient: Patient, tell: Tell
) -> Match | None:
    """The patient of an index outside, who agrees with the message; None for nobody.

    Of a patient whom it named a moment ago nothing but the id is known. Raises what the index raises
    (`outcomes`), and `IdentityConflictError`.
    """
    question = cache.Question.of(usable, patient)
    recalled = cache.recall(question)
    if recalled.answered:
        tell(Query.of(usable, recalled.found, from_cache=True))
        return recalled.found
    try:
        with telling_failures(usable, tell):
            found = index.find(usable, patient)
    except DomainUnknownError as unknown:
        raise ConfigurationError(f"the index does not know the authority of {unknown}") from None
    tell(Query.of(usable, found))
    agreed = agreeing(patient, found) if found else None
    cache.keep(question, recalled, agreed)
    return agreed


@contextmanager
def telling_failures(usable: Sequence[UsableIdentifier], tell: Tell) -> Iterator[None]:
    """Tells of a look-up that ends in an exception, and lets that pass."""
    try:
        yield
    except (EnsError, DomainUnknownError) as error:
        tell(Query.of(usable, error))
        raise
