"""Alarms of queue, pipe, workflow and schedules."""

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
UNTIL_REDELIVERED = 3
"""Periods that are longer than the 12 minutes until SQS redelivers: the alarm lasts until the message is through."""


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

    def _watch_queues(self, queues: Queues) -> None:
        waiting = visible(queues.dead_letters)
        self._alarms.watch(
            self,
            "dead-letters-waiting",
            meaning="The dead-letter queue holds messages that could not be processed.",
            metric=waiting,
        )
        self._alarms.watch(
            self,
            "dead-letters-growing",
            # The alarm above stays in ALARM while any message waits, so it reports no further one.
            meaning="Another message was moved to the dead-letter queue.",
            metric=calculated("DIFF(waiting)", {"waiting": waiting}, label="new dead letters"),
            tells_end=False,
        )
        self._alarms.watch(
            self,
            "oldest-message",
            meaning="A message has waited in the event queue for more than five minutes.",
            metric=of_queue(queues.events, "ApproximateAgeOfOldestMessage"),
            threshold=300,
        )

    def _watch_pipe(self, pipe: EventPipe, queue: sqs.IQueue) -> None:
        dimensions = {"PipeName": pipe.name}
        self._alarms.watch(
            self,
            "pipe-stands-still",
            meaning="Messages wait and the pipe receives none: it is stopped, disabled by AWS, or lacks a permission.",
            metric=calculated(
                "IF(waiting > 0 AND FILL(taken, 0) == 0, 1, 0)",
                {
                    "waiting": visible(queue),
                    "taken": metric(PIPES, "EventCount", dimensions),
                },
                label="standing still",
            ),
            # After a failure, a message and the later ones of its group wait for 12 minutes, and
            # these count as visible. So only a longer wait is a fault of the pipe.
            periods=3,
        )
        self._alarms.watch(
            self,
            "pipe-throttled",
            meaning="The pipe's executions were throttled or timed out: messages are late.",
            metric=summed(
                {
                    "throttled": metric(PIPES, "ExecutionThrottled", dimensions),
                    "timed_out": metric(PIPES, "ExecutionTimeout", dimensions),
                },
                label="throttled or timed out",
            ),
        )

    def _watch_workflow(self, workflow: PatientEventWorkflow) -> None:
        dimensions = {"StateMachineArn": workflow.state_machine.state_machine_arn}
        self._alarms.watch(
            self,
            "executions-failed",
            meaning="An execution failed with a transient error. SQS redelivers its message.",
            metric=metric("AWS/States", "ExecutionsFailed", dimensions),
            of_periods=UNTIL_REDELIVERED,
        )
        self._alarms.watch(
            self,
            "executions-timed-out",
            meaning="An execution reached the state machine's timeout, which the states' timeouts should prevent.",
            metric=metric("AWS/States", "ExecutionsTimedOut", dimensions),
            of_periods=UNTIL_REDELIVERED,
        )
        self._alarms.watch(
            self,
            "findings-missing",
            # The event still completes, without findings: no other alarm reports it.
            meaning="At least 5 % of the notifications, and 3, went out without what Comprehend Medical"
            " should have read: it throttled, failed, or its turns were more than an event may wait.",
            metric=calculated(
                "IF(FILL(missing, 0) >= 3,"
                " 100 * FILL(missing, 0) / (FILL(missing, 0) + FILL(complete, 0)), 0)",
                {
                    "missing": own(self._environment, "DeliverNotification", "FindingsMissing"),
                    "complete": own(self._environment, "DeliverNotification", "FindingsComplete"),
                },
                label="notifications without findings (%)",
            ),
            threshold=5,
        )
        self._alarms.watch(
            self,
            "control-id-reused",
            meaning="A sender used one message control id (MSH-10) for two different messages.",
            metric=summed(
                {
                    "received": own(self._environment, "Receiver", "ControlIdReused"),
                    "parsed": own(self._environment, "ParseMessage", "ControlIdReused"),
                },
                label="control ids used twice",
            ),
            tells_end=False,
        )
        self._alarms.watch_events(
            self,
            "cancellation-without-stay",
            "TrackEncounter",
            "Decision_no_encounter",
            meaning="A hospital cancelled an event of a stay that no message has named: nobody was told.",
        )
        self._alarms.watch_events(
            self,
            "rosters-ending",
            "LookupIdentities",
            "RostersEnding",
            meaning="A subscriber's roster ends within two weeks, or within three days.",
        )

    def _watch_schedules(self, steps: Steps) -> None:
        """Lambda developer guide, "Types of metrics for Lambda functions", asynchronous invocations."""
        called = [steps.lookup_identities, steps.track_encounter, steps.release_deliveries]
        parts = {
            f"of_{one.node.id}": metric(
                "AWS/Lambda", "AsyncEventsDropped", {"FunctionName": one.function_name}
            )
            for one in (*called, *steps.of_audit)
        }
        self._alarms.watch(
            self,
            "scheduled-run-failed",
            meaning="A run that a schedule started failed three times, or could not be started.",
            metric=summed(parts, label="scheduled runs that failed"),
            tells_end=False,
        )
