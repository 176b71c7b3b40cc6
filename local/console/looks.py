"""Audits the looks at mails and stays in the console."""

from lambdas.common.contracts.audit import LookedAt
from ops.audit import looks
from ops.audit.principal import signed_in
from ops.deployment import Deployment


class ConsoleLooks:
    """The looks of the person at this machine, by the principal that is signed in to the local AWS.

    A page refreshes itself every few seconds, so a thing has one entry while the console runs.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._recorded: set[tuple[LookedAt, str]] = set()

    def record(self, looked_at: LookedAt, looked_at_id: str) -> None:
        """Writes the entry of the first look at a thing. Raises if it cannot be written."""
        if (looked_at, looked_at_id) in self._recorded:
            return
        looks.record(self._deployment.context, signed_in(), looked_at, looked_at_id)
        self._recorded.add((looked_at, looked_at_id))
