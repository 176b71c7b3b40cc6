"""What alarms and dashboard look at."""

from dataclasses import dataclass

from environments import Environment
from infra.core.processing.pipe import EventPipe
from infra.core.processing.steps import Steps
from infra.core.processing.workflow import PatientEventWorkflow
from infra.core.stores.queues import Queues


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The parts of a core stack whose metrics say whether it works."""

    environment: Environment
    queues: Queues
    pipe: EventPipe
    workflow: PatientEventWorkflow
    steps: Steps
