"""The policies of the environment, as a part of a function's context."""

from dataclasses import dataclass
from functools import cached_property

from lambdas.common.function.context import Context
from lambdas.common.senders import SenderProfile
from lambdas.policy.gate import Gate
from lambdas.policy.rules import Policy, policies


@dataclass(frozen=True)
class PolicyContext(Context):
    """The context of every step, with the environment's policies."""

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of the configuration document. Raises `ConfigurationError` where it has none."""
        return policies(self.configuration.policies)

    def gate(self, sender: SenderProfile) -> Gate:
        """The gate for a sender's events today, by the sender's time zone; in UTC without one."""
        return Gate(self.policies, sender.jurisdiction, sender.today())
