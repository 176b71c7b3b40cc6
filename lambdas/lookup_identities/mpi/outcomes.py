"""The outcomes of a look-up: one set, which every MPI client and the registry use.

| outcome          | type here                                             | the event                            |
|------------------|-------------------------------------------------------|--------------------------------------|
| matched          | `records.Match`                                       | its recipients are told              |
| not found        | None                                                  | as the environment's unknown_patient says |
| ambiguous        | `IdentityAmbiguousError`                              | a person decides                     |
| conflict         | `IdentityConflictError`                               | a person decides                     |
| domain unknown   | `DomainUnknownError`, to the workflow `ConfigurationError` | an operator corrects the settings  |
| authority not allowed | `AuthorityNotAllowedError`, to the workflow `ConfigurationError` | an operator corrects the settings |
| broken answer    | `BrokenAnswerError`, to the workflow `DependencyUnavailableError` | as unavailable |
| unavailable      | `DependencyUnavailableError`                          | the workflow retries, the queue holds |
"""

from enum import StrEnum

from lambdas.common.errors import (
    DependencyUnavailableError,
    IdentityAmbiguousError,
    IdentityConflictError,
)
from lambdas.registry.records import Match


class MpiOutcome(StrEnum):
    """The outcome of a look-up. `failed` is a fault that is none of the others."""

    MATCHED = "matched"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    CONFLICT = "conflict"
    DOMAIN_UNKNOWN = "domain_unknown"
    AUTHORITY_NOT_ALLOWED = "authority_not_allowed"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


AUTHORITY_OUTCOMES = frozenset({MpiOutcome.DOMAIN_UNKNOWN, MpiOutcome.AUTHORITY_NOT_ALLOWED})
"""Outcomes of a wrong or unmapped assigning authority: a fault of the feed or of the settings."""


class DomainUnknownError(Exception):
    """The MPI or the registry does not know an assigning authority. The text has the position, not the authority."""


class AuthorityNotAllowedError(Exception):
    """No identifier has an authority that the sender may assert; the text names the positions."""


class BrokenAnswerError(Exception):
    """An answer that lacks a part which its profile requires: it was cut off or damaged on the way.

    The MPI is reachable, so that its circuit breaker does not count this. For the workflow it becomes
    `DependencyUnavailableError`: the query is repeated, and the event waits. The text names the missing
    part.
    """


OUR_DOMAIN = "our own ids (domain in ENS_MPI_SETTINGS)"
"""The text of `DomainUnknownError` when the MPI does not know our own domain."""


def outcome_of(found: Match | Exception | None) -> MpiOutcome:
    """The outcome of an answer or an exception of an MPI client."""
    named: tuple[tuple[type[object], MpiOutcome], ...] = (
        (Match, MpiOutcome.MATCHED),
        (IdentityAmbiguousError, MpiOutcome.AMBIGUOUS),
        (IdentityConflictError, MpiOutcome.CONFLICT),
        (DomainUnknownError, MpiOutcome.DOMAIN_UNKNOWN),
        (AuthorityNotAllowedError, MpiOutcome.AUTHORITY_NOT_ALLOWED),
        (DependencyUnavailableError, MpiOutcome.UNAVAILABLE),
    )
    if found is None:
        return MpiOutcome.NOT_FOUND
    return next((name for kind, name in named if isinstance(found, kind)), MpiOutcome.FAILED)
