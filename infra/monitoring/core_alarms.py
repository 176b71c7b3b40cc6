"""Alarms of queue, pipe, workflow and schedules."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.core.processing.functions import Steps
from infra.core.processing.pipe import EventPipe
from infra.core.processing.workflow import PatientEventWorkflow
from infra.core.stores.queues import Queues
from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.metrics import calculated, metric, of_queue, own, summed, visible
from infra.monitoring.watched import Watched

PIPES = "AWS/EventBridge/Pipes"


class CoreAlarms(Construct):
    """Adds the alarms of queue, pipe, workflow and schedules."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: Watched, alarms: Alarms
    ) -> None:
        super().__init__(scope, construct_id)
        self._alarms = alarms
        self._environment = watched.environment
        self._watch_queues(watched.queues)
        self._watch_pipe(watched.pipe, watched.queues.events)
        self._watch_workflow(watched.workflow)
        self._watch_schedules(watched.steps)

    def _watch(self, name: str, metric: cloudwatch.IMetric) -> None:
        self._alarms.watch(self, name, metric)

    def _watch_queues(self, queues: Queues) -> None:
        waiting = visible(queues.dead_letters)
        self._watch("dead-letters-waiting", waiting)
        self._watch(
            "dead-letters-growing",
            calculated("DIFF(waiting)", {"waiting": waiting}, label="new dead letters"),
        )
        self._watch("oldest-message", of_queue(queues.events, "ApproximateAgeOfOldestMessage"))

    def _watch_pipe(self, pipe: EventPipe, queue: sqs.IQueue) -> None:
        dimensions = {"PipeName": pipe.name}
        self._watch(
            "pipe-stands-still",
            calculated(
                "IF(waiting > 0 AND FILL(taken, 0) == 0, 1, 0)",
                {
                    "waiting": visible(queue),
                    "taken": metric(PIPES, "EventCount", dimensions),
                },
                label="standing still",
            ),
        )
        self._watch(
            "pipe-throttled",
            summed(
                {
                    "throttled": metric(PIPES, "ExecutionThrottled", dimensions),
                    "timed_out": metric(PIPES, "ExecutionTimeout", dimensions),
                },
                label="throttled or timed out",
            ),
        )

    def _watch_workflow(self, workflow: PatientEventWorkflow) -> None:
        dimensions = {"StateMachineArn": workflow.state_machine.state_machine_arn}
        for name, counted in (
            ("executions-failed", "ExecutionsFailed"),
            ("executions-timed-out", "ExecutionsTimedOut"),
        ):
            self._watch(name, metric("AWS/States", counted, dimensions))
        self._watch(
            "findings-missing",
            calculated(
                "IF(FILL(missing, 0) >= 3,"
                " 100 * FILL(missing, 0) / (FILL(missing, 0) + FILL(complete, 0)), 0)",
                {
                    "missing": own(self._environment, "DeliverNotification", "FindingsMissing"),
                    "complete": own(self._environment, "DeliverNotification", "FindingsComplete"),
                },
                label="notifications without findings (%)",
            ),
        )
        self._watch(
            "control-id-reused",
            summed(
                {
                    "received": own(self._environment, "Receiver", "ControlIdReused"),
                    "parsed": own(self._environment, "ParseMessage", "ControlIdReused"),
                },
                label="control ids used twice",
            ),
        )
        self._alarms.watch_counts(self, "cancellation-without-stay", "rosters-ending")

    def _watch_schedules(self, steps: Steps) -> None:
        """Lambda developer guide, "Types of metrics for Lambda functions", asynchronous invocations."""
        called = [steps.lookup_identities, steps.track_encounter, steps.release_deliveries]
        parts = {
            f"of_{one.node.id}": metric(
                "AWS/Lambda", "AsyncEventsDropped", {"FunctionName": one.function_name}
            )
            for one in (*called, *steps.of_audit)
        }
        self._watch("scheduled-run-failed", summed(parts, label="scheduled runs that failed"))
