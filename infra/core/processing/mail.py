"""SES: the sending identity, the configuration set, and the rule that sends its events to RecordFeedback."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from environments import Environment
from infra.stateful import fix_logical_id, removal_policy

MAIL_DIMENSION = "environment"
"""The dimension of the configuration set's metrics in AWS/SES."""

MAIL_EVENTS = {
    ses.EmailSendingEvent.SEND: "Send",
    ses.EmailSendingEvent.DELIVERY: "Delivery",
    ses.EmailSendingEvent.BOUNCE: "Bounce",
    ses.EmailSendingEvent.COMPLAINT: "Complaint",
    ses.EmailSendingEvent.REJECT: "Reject",
}
"""The events that SES counts for the dashboard, with the names of their metrics in AWS/SES."""


class SesSending(Construct):
    """The SES identity and configuration set of DeliverNotification. TLS is required."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        self._prefix = environment.prefix
        self.from_address = environment.mail.from_address
        stack = cdk.Stack.of(self)
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            configuration_set_name=environment.prefix,
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            # CloudWatch's bounce and complaint rates of this environment alone.
            reputation_metrics=True,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )
        fix_logical_id(self.configuration_set, "MailConfigurationSet")
        # AWS/SES has no metrics by configuration set without this destination (SES developer guide,
        # "Set up a CloudWatch event destination"). No mail has the tag, so the default value stands.
        self.configuration_set.add_event_destination(
            "Metrics",
            destination=ses.EventDestination.cloud_watch_dimensions(
                [
                    ses.CloudWatchDimension(
                        name=MAIL_DIMENSION,
                        source=ses.CloudWatchDimensionSource.MESSAGE_TAG,
                        default_value=environment.name,
                    )
                ]
            ),
            events=[*MAIL_EVENTS],
        )
        self.configuration_set.add_event_destination(
            "Events",
            destination=ses.EventDestination.event_bus(
                # SES sends to the account's default bus only.
                events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
            ),
            # No open and click events: SES would add a tracking image and rewrite links.
            events=[
                ses.EmailSendingEvent.SEND,
                ses.EmailSendingEvent.DELIVERY,
                ses.EmailSendingEvent.DELIVERY_DELAY,
                ses.EmailSendingEvent.BOUNCE,
                ses.EmailSendingEvent.COMPLAINT,
                ses.EmailSendingEvent.REJECT,
                ses.EmailSendingEvent.RENDERING_FAILURE,
            ],
        )
        if environment.mail.create:
            identity = ses.EmailIdentity(
                self,
                "Identity",
                identity=ses.Identity.domain(environment.mail.domain),
                configuration_set=self.configuration_set,
                # The mail that returns a bounce quotes the notification, to a mailbox in the clear.
                # Bounces come as events instead (SES API v2, PutEmailIdentityFeedbackAttributes).
                feedback_forwarding=False,
            )
            # The domain's DNS holds its DKIM tokens. A new identity would have others.
            identity.apply_removal_policy(removal_policy(environment))
            fix_logical_id(identity, "MailIdentity")
            for number, record in enumerate(identity.dkim_records, start=1):
                cdk.CfnOutput(
                    stack,
                    f"MailDkim{number}",
                    value=f"{record.name} CNAME {record.value}",
                    description="A DNS record of the mail domain (docs/deploy.md)",
                )
        self.arns = [
            *(
                stack.format_arn(service="ses", resource="identity", resource_name=identity)
                for identity in (environment.mail.domain, *environment.mail.sandbox_recipients)
            ),
            stack.format_arn(
                service="ses", resource="configuration-set", resource_name=environment.prefix
            ),
        ]

    def report_to(self, function: lambda_.IFunction, dead_letters: sqs.IQueue) -> None:
        """Adds the rule that sends this configuration set's events to the function."""
        events.Rule(
            self,
            "Feedback",
            rule_name=f"{self._prefix}-feedback",
            description="SES events of notifications: delivered, delayed, bounced, complained",
            event_pattern=events.EventPattern(
                source=["aws.ses"],
                detail={"mail": {"tags": {"ses:configuration-set": [self._prefix]}}},
            ),
            targets=[
                targets.LambdaFunction(
                    function,
                    dead_letter_queue=dead_letters,
                    retry_attempts=185,
                    max_event_age=cdk.Duration.hours(24),
                )
            ],
        )
