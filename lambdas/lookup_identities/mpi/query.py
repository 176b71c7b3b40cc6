"""Queries an external MPI for the patient, and reports every look-up for the audit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from lambdas.common.contracts.message.patient import Patient
from lambdas.common.errors import ConfigurationError, EnsError
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.agreement import agreeing
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.mpi import cache
from lambdas.lookup_identities.mpi.clients import MpiClient
from lambdas.lookup_identities.mpi.outcomes import (
    AuthorityNotAllowedError,
    DomainUnknownError,
    MpiOutcome,
    outcome_of,
)
from lambdas.registry.records import Match


@dataclass(frozen=True, slots=True)
class Query:
    """A look-up for the audit: the identifiers asked for, and its outcome.

    `from_cache`: it was answered from the cache of MPI answers.
    """

    asked: tuple[tuple[str, str], ...] = field(repr=False)
    outcome: MpiOutcome
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
    context: LookupContext,
    client: MpiClient,
    usable: Sequence[UsableIdentifier],
    patient: Patient,
    tell: Tell,
    *,
    identifier_alone: bool = False,
) -> Match | None:
    """The patient of an external MPI, who agrees with the message; None without a match.

    A patient from the cache has an id and no demographics. Raises the errors of the client (`outcomes`),
    and `IdentityConflictError`.
    """
    question = cache.Question.of(context, usable, patient, identifier_alone)
    recalled = cache.recall(context, question)
    if recalled.answered:
        tell(Query.of(usable, recalled.found, from_cache=True))
        return recalled.found
    with telling_failures(usable, tell):
        found = client.find(usable, patient)
    tell(Query.of(usable, found))
    agreed = agreeing(patient, found, identifier_alone=identifier_alone) if found else None
    cache.store(context, question, recalled, agreed)
    return agreed


@contextmanager
def telling_failures(usable: Sequence[UsableIdentifier], tell: Tell) -> Iterator[None]:
    """Reports a look-up that ends in an exception. A fault of an authority becomes `ConfigurationError`."""
    try:
        yield
    except EnsError as error:
        tell(Query.of(usable, error))
        raise
    except DomainUnknownError as error:
        tell(Query.of(usable, error))
        raise ConfigurationError(
            f"{error}: the assigning authority is unknown to the MPI or the registry"
        ) from None
    except AuthorityNotAllowedError as error:
        tell(Query.of(usable, error))
        raise ConfigurationError(
            f"{error}: the sender may not assert the assigning authority, or names none"
            " (assigning_authorities and default_assigning_authority in the sender's file)"
        ) from None
