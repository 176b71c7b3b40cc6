"""The resources that alarms and dashboard use."""

from dataclasses import dataclass

from environments import Environment
from infra.core.processing.functions import Steps
from infra.core.processing.pipe import EventPipe
from infra.core.processing.workflow import PatientEventWorkflow
from infra.core.stores.queues import Queues


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The resources of a core stack with metrics for alarms and dashboard."""

    environment: Environment
    queues: Queues
    pipe: EventPipe
    workflow: PatientEventWorkflow
    steps: Steps
