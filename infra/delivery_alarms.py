"""What can go wrong between the workflow and the provider's mailbox, as alarms."""

from constructs import Construct

from infra.alarms import Alarms, Missing, metric, own, visible
from infra.watched import Watched

OVERDUE_SECONDS = 900
FULL_MINUTES = 5
QUOTA_USED_PERCENT = 80


class DeliveryAlarms(Construct):
    """The alarms about mails: unknown, held, refused, reduced, reported."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: Watched, alarms: Alarms
    ) -> None:
        super().__init__(scope, construct_id)
        self._alarms = alarms
        self._environment = watched.environment
        self._watch_ledger()
        self._watch_recipients()
        self._watch_feedback(watched)

    def _watch_ledger(self) -> None:
        """By what ReleaseDeliveries counts every minute, so that an alarm lasts as long as its cause."""
        self._alarms.watch(
            self,
            "unknown-deliveries",
            meaning="It is not known whether a notification was sent; it is not sent again by itself.",
            metric=own(
                self._environment, "ReleaseDeliveries", "UnknownDeliveries", statistic="Maximum"
            ),
        )
        self._alarms.watch(
            self,
            "deliveries-overdue",
            meaning="A held notification should have gone out 15 minutes ago, or releases stand still.",
            metric=own(
                self._environment, "ReleaseDeliveries", "OldestOverdueSeconds", statistic="Maximum"
            ),
            threshold=OVERDUE_SECONDS,
            periods=2,
            # Nobody else notices that the function no longer runs.
            missing=Missing.BREACHING,
        )
        self._alarms.watch(
            self,
            "deliveries-piling-up",
            meaning="More notifications wait than the account's rate sends in five minutes.",
            metric=own(
                self._environment, "ReleaseDeliveries", "OverdueDeliveries", statistic="Maximum"
            ),
            threshold=self._environment.mail.rate * 60 * FULL_MINUTES,
        )

        self._alarms.watch(
            self,
            "mail-quota",
            meaning="Four fifths of SES's daily quota are used, or the quota cannot be read.",
            metric=own(
                self._environment, "ReleaseDeliveries", "MailQuotaUsedPercent", statistic="Maximum"
            ),
            threshold=QUOTA_USED_PERCENT,
            periods=2,
            # A quota that cannot be read is one that nobody watches.
            missing=Missing.BREACHING,
        )

    def _watch_recipients(self) -> None:
        self._alarms.watch(
            self,
            "reduced-detail",
            meaning="A recipient who asked for encryption got the minimum: a certificate is bad.",
            metric=own(self._environment, "DeliverNotification", "ReducedDetail"),
            tells_end=False,
        )
        self._alarms.watch(
            self,
            "notification-not-delivered",
            meaning="A notification bounced, was rejected, or its reader complained.",
            metric=own(self._environment, "RecordFeedback", "NotificationNotDelivered"),
            tells_end=False,
        )

    def _watch_feedback(self, watched: Watched) -> None:
        self._alarms.watch(
            self,
            "feedback-not-recorded",
            meaning="What SES reported about a mail could not be written to ledger and audit.",
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
