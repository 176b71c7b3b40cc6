"""Alarms of deliveries and SES events."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring.alarm_topic import Alarms, Missing
from infra.monitoring.metrics import metric, own, visible
from infra.monitoring.watched import Watched

OVERDUE_SECONDS = 900
FULL_MINUTES = 5
QUOTA_USED_PERCENT = 80


class DeliveryAlarms(Construct):
    """Adds the alarms of deliveries: unknown, held, quota, certificates, seals, bounces, SES events."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: Watched, alarms: Alarms
    ) -> None:
        super().__init__(scope, construct_id)
        self._alarms = alarms
        self._environment = watched.environment
        self._watch_ledger()
        self._watch_mails()
        self._watch_feedback(watched)

    def _watch_ledger(self) -> None:
        """They use ReleaseDeliveries' counts of every minute, so that an alarm lasts as long as its cause."""
        self._alarms.watch(
            self,
            "unknown-deliveries",
            meaning="SES gave no answer for a notification. It is not sent again automatically.",
            metric=self._counted("UnknownDeliveries"),
        )
        self._alarms.watch(
            self,
            "deliveries-overdue",
            meaning="A held notification is overdue by 15 minutes, or ReleaseDeliveries does not run.",
            metric=self._counted("OldestOverdueSeconds"),
            threshold=OVERDUE_SECONDS,
            periods=2,
            # No other alarm reports that the function no longer runs.
            missing=Missing.BREACHING,
        )
        self._alarms.watch(
            self,
            "deliveries-piling-up",
            meaning="More notifications wait than the account's rate sends in five minutes.",
            metric=self._counted("OverdueDeliveries"),
            threshold=self._environment.mail.rate * 60 * FULL_MINUTES,
        )
        self._alarms.watch(
            self,
            "mail-quota",
            meaning="Four fifths of SES's daily quota are used, or the quota cannot be read.",
            metric=self._counted("MailQuotaUsedPercent"),
            threshold=QUOTA_USED_PERCENT,
            periods=2,
            # Without data the quota is not monitored.
            missing=Missing.BREACHING,
        )

    def _counted(self, name: str) -> cloudwatch.Metric:
        """The largest of the counts that ReleaseDeliveries made in the period."""
        return own(self._environment, "ReleaseDeliveries", name, statistic="Maximum")

    def _watch_mails(self) -> None:
        self._alarms.watch_events(
            self,
            "reduced-detail",
            "DeliverNotification",
            "ReducedDetail",
            meaning="A recipient with S/MIME got minimal detail, because the certificate cannot be used.",
        )
        self._alarms.watch_events(
            self,
            "notification-not-delivered",
            "RecordFeedback",
            "NotificationNotDelivered",
            meaning="A notification bounced, was rejected by SES, or was reported as spam.",
        )
        self._alarms.watch_events(
            self,
            "mail-without-seal",
            "DeliverNotification",
            "MailWithoutSeal",
            meaning="A mail in the vault was not written by DeliverNotification. It was replaced, not sent.",
        )

    def _watch_feedback(self, watched: Watched) -> None:
        self._alarms.watch(
            self,
            "feedback-not-recorded",
            meaning="An SES event could not be written to ledger and audit.",
            metric=visible(watched.queues.feedback_dead_letters),
        )
        # Above 5 % and 0.1 % AWS reviews the account's right to send (SES developer guide,
        # "Sending review process"); these go off before.
        for name, rate, threshold in (
            ("bounces", "BounceRate", 0.04),
            ("complaints", "ComplaintRate", 0.0008),
        ):
            self._alarms.watch(
                self,
                f"too-many-{name}",
                meaning=f"The share of {name} nears the limit at which SES stops sending.",
                metric=metric(
                    "AWS/SES",
                    f"Reputation.{rate}",
                    {"ses:configuration-set": self._environment.prefix},
                    statistic="Average",
                    minutes=60,
                ),
                threshold=threshold,
            )
