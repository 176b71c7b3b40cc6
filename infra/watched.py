"""What alarms and dashboard look at."""

from dataclasses import dataclass

from environments import Environment
from infra.pipe import Pipe
from infra.queues import Queues
from infra.steps import Steps
from infra.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The parts of a core stack whose metrics say whether it works."""

    environment: Environment
    queues: Queues
    pipe: Pipe
    workflow: Workflow
    steps: Steps
