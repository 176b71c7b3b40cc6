"""The rules of policy files, as the configuration document has them.

`environments/policy.schema.json` describes the files, and docs/privacy.md explains them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from lambdas.common.contracts.encounters.protection import Basis, ProtectionFlag
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyNotice,
    PolicyOutcome,
    RuleReference,
    SuppressionReason,
)
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.common.errors import ConfigurationError


class RecipientKind(StrEnum):
    """Whether a provider is a person or a facility (column `kind` of providers.csv)."""

    PERSON = "person"
    FACILITY = "facility"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The conditions of a rule. All that are given must hold; of a list, one value is enough.

    `bases` narrows `sensitivities`: one mark must fit both. `age_from` and `age_below` are years on the day
    of the decision; an unknown birth date fits every age. `jurisdictions` are ISO 3166-2 codes of the
    sender; a sender without one fits every jurisdiction.
    """

    flags: tuple[ProtectionFlag, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    bases: tuple[Basis, ...] = ()
    age_from: int | None = None
    age_below: int | None = None
    jurisdictions: tuple[str, ...] = ()
    relationships: tuple[RecipientReason, ...] = ()
    recipient_kinds: tuple[RecipientKind, ...] = ()
    event_kinds: tuple[EventKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its conditions, its outcome, and the categories of consents that lift it.

    `notices` are printed where a consent lifts the rule. Its statute is in the policy file.
    """

    id: str
    then: PolicyOutcome
    when: When = When()
    reason: SuppressionReason | None = None
    leave_out: tuple[LeftOut, ...] = ()
    lifted_by: tuple[Sensitivity, ...] = ()
    notices: tuple[PolicyNotice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy file: its rules, and its outcome where none of them applies.

    `hidden_findings` are the categories whose findings in notes are not told without a consent.
    """

    name: str
    version: str
    otherwise: PolicyOutcome
    rules: tuple[Rule, ...] = ()
    hidden_findings: tuple[Sensitivity, ...] = ()

    def reference(self, rule: str) -> RuleReference:
        """A reference to one of the file's rules."""
        return RuleReference(file=self.name, rule=rule, version=self.version)


def policies(entries: Iterable[dict[str, Any]]) -> tuple[Policy, ...]:
    """The policies in the configuration document's entries, in their order.

    Raises `ConfigurationError` for an entry of another shape, and where there is none.
    """
    try:
        found = tuple(msgspec.convert(entry, Policy) for entry in entries)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"configuration: policies: {error}") from None
    if not found:
        raise ConfigurationError("configuration: it names no policy; deploy the environment again")
    return found
