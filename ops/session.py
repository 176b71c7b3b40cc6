"""The state that all commands share: the environment, its deployment and its events' trails."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import click

from lambdas.common.contracts.audit import LookedAt
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit import looks
from ops.audit.principal import signed_in
from ops.deployment import Deployment, find
from ops.events.advice import in_environment
from ops.events.trail import EventTrail, TrailSource
from ops.problem import ProblemError

R = TypeVar("R")


@dataclass
class Session:
    """One run of `ens` against one environment; `command` is its words (`dlq list`) once it runs.

    `failure_code` is the exit code after an expected failure.
    """

    environment: str
    command: str = ""
    failure_code: int = 1

    def typed(self, text: str) -> str:
        """Returns a text with its commands (`ens …`) as they are typed for this environment."""
        return in_environment(text, self.environment)

    @cached_property
    def deployment(self) -> Deployment:
        """The environment's deployment, looked up at first use: `ens --help` needs none."""
        return find(self.environment)

    @property
    def context(self) -> LedgerContext:
        """The context with which the shared code of the steps reads and writes the deployment."""
        return self.deployment.context

    @cached_property
    def principal(self) -> str:
        """The ARN of the AWS principal that runs the command, asked of STS at first use.

        Raises `ProblemError` when STS does not answer.
        """
        _ = self.deployment  # The local system is found, and its credentials are set, here.
        return signed_in()

    def record_look(self, looked_at: LookedAt, looked_at_id: str = "") -> None:
        """Writes the audit entry of a look. Call it before anything is shown; it raises if it cannot write."""
        looks.record(self.context, self.principal, looked_at, looked_at_id)

    @cached_property
    def trail(self) -> TrailSource:
        """The trails of the environment's events."""
        return TrailSource(self.deployment)

    def event(self, event_id: str) -> EventTrail:
        """Returns the trail of an event. Raises `ProblemError` when the environment has no such event."""
        found = self.trail.event(event_id)
        if found is None:
            raise ProblemError(f"{self.environment} has no event {event_id}.")
        return found

    def event_id(self, reference: str) -> str:
        """Returns the newest event with this event id or MSH-10. Raises `ProblemError` when none has it."""
        found = self.trail.find(reference)
        if not found:
            raise ProblemError(
                f"{self.environment} has no event with this id or MSH-10."
                " The event of a message just sent appears when its workflow starts."
            )
        return found[0]


def pass_session(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command its session as the first argument, and the session the command's words."""

    @wraps(command)
    @click.pass_context
    def run(context: click.Context, *arguments: Any, **options: Any) -> R:
        session: Session = context.obj
        session.command = context.command_path.partition(" ")[2]
        return command(session, *arguments, **options)

    return run
