"""Alarms of deliveries and SES events."""

from constructs import Construct

from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.metrics import metric, visible
from infra.monitoring.watched import Watched

FULL_MINUTES = 5


class DeliveryAlarms(Construct):
    """Adds the alarms of deliveries: unknown, held, quota, certificates, seals, bounces, SES events."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: Watched, alarms: Alarms
    ) -> None:
        super().__init__(scope, construct_id)
        environment = watched.environment
        alarms.watch_counts(self, "unknown-deliveries", "deliveries-overdue")
        full = environment.mail.rate * 60 * FULL_MINUTES
        alarms.watch(self, "deliveries-piling-up", threshold=full)
        alarms.watch_counts(
            self, "mail-quota", "reduced-detail", "notification-not-delivered", "mail-without-seal"
        )
        alarms.watch(self, "feedback-not-recorded", visible(watched.queues.feedback_dead_letters))
        for name, rate in (("bounces", "BounceRate"), ("complaints", "ComplaintRate")):
            of_set = {"ses:configuration-set": environment.prefix}
            share = metric("AWS/SES", f"Reputation.{rate}", of_set, statistic="Average", minutes=60)
            alarms.watch(self, f"too-many-{name}", share)
