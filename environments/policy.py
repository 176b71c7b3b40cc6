"""A policy file as frozen dataclasses: rules about what recipients may be told (docs/privacy.md).

The JSON Schema `policy.schema.json` checks each value; rules over several values are in `__post_init__`,
which raises `ValueError`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

OTHERWISE = "otherwise"
"""The audit's name for a file's outcome where none of its rules applies; no rule has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConditions:
    """The conditions of a rule. All that are given must hold; of a list, one value is enough."""

    flags: tuple[str, ...] = ()
    sensitivities: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    age_from: int | None = None
    age_below: int | None = None
    jurisdictions: tuple[str, ...] = ()
    relationships: tuple[str, ...] = ()
    recipient_kinds: tuple[str, ...] = ()
    event_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.bases and not self.sensitivities:
            raise ValueError("bases: without sensitivities; allowed: both, or neither")
        low, high = self.age_from, self.age_below
        if low is not None and high is not None and low >= high:
            raise ValueError(f"age_from: {low}; allowed: less than age_below ({high})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One rule of a policy file: when it applies, what then follows, and the consents that lift it."""

    id: str
    summary: str
    source: str
    then: Literal["tell_reduced", "suppress"]
    when: RuleConditions
    reason: str = ""
    leave_out: tuple[str, ...] = ()
    lifted_by: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.id == OTHERWISE:
            raise ValueError(
                f"id: {OTHERWISE!r}; allowed: another one, it names the file's default"
            )
        if self.when == RuleConditions():
            raise ValueError("when: no condition; allowed: at least one (see also otherwise)")
        suppresses = self.then == "suppress"
        if bool(self.reason) is not suppresses:
            raise ValueError("reason: allowed and required with then = 'suppress' alone")
        if bool(self.leave_out) is suppresses:
            raise ValueError("leave_out: allowed and required with then = 'tell_reduced' alone")
        if self.notices and not self.lifted_by:
            raise ValueError(
                "notices: without lifted_by; allowed: both, a consent brings the notice"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy file. `name` is the file's, `otherwise` the outcome where none of its rules applies.

    `hidden_findings` are the categories of findings in notes that are told with a consent alone. `example`:
    counsel has not checked it, so that `make preflight` refuses it where patients are real.
    """

    name: str
    title: str
    version: str
    otherwise: Literal["tell", "suppress"]
    rules: tuple[PolicyRule, ...] = ()
    hidden_findings: tuple[str, ...] = ()
    example: bool = False

    def __post_init__(self) -> None:
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"rules: {', '.join(twice)} is there twice; allowed: each id once")

    def configuration(self) -> dict[str, Any]:
        """Returns the policy as functions read it: without texts for people and without empty values."""
        kept = ("id", "then", "when", "reason", "leave_out", "lifted_by", "notices")
        rules = [
            {name: value for name, value in asdict(rule).items() if name in kept and value}
            for rule in self.rules
        ]
        for rule in rules:
            rule["when"] = {
                name: value for name, value in rule["when"].items() if value not in ((), None)
            }
        return {
            "name": self.name,
            "version": self.version,
            "otherwise": self.otherwise,
            "rules": rules,
            "hidden_findings": self.hidden_findings,
        }
