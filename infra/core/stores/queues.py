"""The event queue, its dead-letter queue, and the one for SES events that could not be recorded."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from environments import Environment
from infra.stateful import fix_logical_id, keep_when_replaced

# Six times what a pipe may take is the least that AWS allows for; the pipe cuts at 300 s, the
# workflow ends at 285 s, and 720 s is the shortest that outlives both with room for a second try.
VISIBILITY = cdk.Duration.seconds(720)
RETENTION = cdk.Duration.days(14)
KEY_REUSE = cdk.Duration.minutes(5)


class Queues(Construct):
    """FIFO queues under one key. A message group is one patient of one sender."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = self._fifo("DeadLetters", f"{environment.prefix}-dead-letters", key)
        self.events = self._fifo(
            "Events",
            f"{environment.prefix}-events",
            key,
            sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=environment.max_receive_count
            ),
        )
        self.feedback_dead_letters = sqs.Queue(
            self,
            "FeedbackDeadLetters",
            queue_name=f"{environment.prefix}-feedback-dead-letters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=KEY_REUSE,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(environment.retention.feedback_days),
        )
        for name, queue in (
            ("QueueDeadLetters", self.dead_letters),
            ("QueueEvents", self.events),
            ("QueueFeedbackDeadLetters", self.feedback_dead_letters),
        ):
            fix_logical_id(queue, name)
            keep_when_replaced(queue, environment)

    def _fifo(
        self,
        construct_id: str,
        name: str,
        key: kms.IKey,
        dead_letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        """A high-throughput FIFO queue: order and deduplication within a group, none across."""
        return sqs.Queue(
            self,
            construct_id,
            queue_name=f"{name}.fifo",
            fifo=True,
            content_based_deduplication=False,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=KEY_REUSE,
            enforce_ssl=True,
            visibility_timeout=VISIBILITY,
            retention_period=RETENTION,
            dead_letter_queue=dead_letters,
        )
