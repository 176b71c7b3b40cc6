"""What every command shares: which environment, and, once asked for, its deployment and trails."""

import getpass
from dataclasses import dataclass
from functools import cached_property

import click

from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment, find
from ops.events.trail import TrailSource
from ops.problem import ProblemError

MAX_NAME = 64


@dataclass
class Session:
    """One run of `ens` against one environment."""

    environment: str

    @cached_property
    def deployment(self) -> Deployment:
        """The environment's deployment; looked up at the first use, so that `ens --help` needs none."""
        return find(self.environment)

    @property
    def context(self) -> LedgerContext:
        """The context with which the shared code of the steps reads and writes the deployment."""
        return self.deployment.context

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


pass_session = click.make_pass_decorator(Session)


def operator(name: str) -> str:
    """Who is to be named in the audit: the name given, else the user signed in to this machine."""
    name = name.strip() or getpass.getuser()
    if len(name) > MAX_NAME or not name.isprintable():
        raise ProblemError(f"A name for the audit is at most {MAX_NAME} printable characters.")
    return name
