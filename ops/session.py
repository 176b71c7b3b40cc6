"""The state that all commands share: the environment, its deployment and its events' trails."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import click

from ops.deployment import Deployment, find
from ops.events.trail import TrailSource
from ops.problem import ProblemError

MAX_NAME = 64
R = TypeVar("R")


@dataclass
class Session:
    """One run of `ens` against one environment; `command` is its words (`dlq list`) once it runs."""

    environment: str
    command: str = ""

    @cached_property
    def deployment(self) -> Deployment:
        """The environment's deployment, looked up at first use: `ens --help` needs none."""
        return find(self.environment)

    @cached_property
    def trail(self) -> TrailSource:
        """The trails of the environment's events."""
        return TrailSource(self.deployment)

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


def operator(name: str) -> str:
    """Returns the name for the audit: `name`, else the user name on this machine.

    Raises `ProblemError` for more than 64 characters or unprintable ones.
    """
    name = name.strip() or getpass.getuser()
    if len(name) > MAX_NAME or not name.isprintable():
        raise ProblemError(f"--by takes at most {MAX_NAME} printable characters.")
    return name
