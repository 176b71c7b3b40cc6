"""What every command shares: which environment, and, once asked for, its deployment and trails."""

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
        """The environment's deployment; looked up at the first use, so that `ens --help` needs none."""
        return find(self.environment)

    @cached_property
    def trail(self) -> TrailSource:
        """The trails of the environment's events."""
        return TrailSource(self.deployment)

    def event_id(self, reference: str) -> str:
        """The newest event that a reference means; `ProblemError` when there is none."""
        found = self.trail.find(reference)
        if not found:
            raise ProblemError(
                f"No event with this id or MSH-10 is known in {self.environment}."
                " One that was just sent appears when its workflow begins."
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
    """Who is to be named in the audit: the name given, else the user signed in to this machine."""
    name = name.strip() or getpass.getuser()
    if len(name) > MAX_NAME or not name.isprintable():
        raise ProblemError(f"A name for the audit is at most {MAX_NAME} printable characters.")
    return name
