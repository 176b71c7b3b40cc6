"""Checks that alarms have a confirmed subscription, and that the topics of `alarm_topics` exist.

https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
"""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning

PENDING = "PendingConfirmation"
ABSENT = ("NotFound", "NotFoundException")


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Yields findings about the subscriptions of the environment's topic, if it exists already."""
    if plan.environment.network is None:
        return
    sns = clients.client("sns")
    for other in plan.environment.alarm_topics:
        if if_exists(sns.get_topic_attributes, *ABSENT, TopicArn=other) is None:
            yield error(
                f"the topic {other} does not exist",
                f"{plan.file}: alarm_topics",
                "correct the ARN, or create the topic",
            )
    topic = f"arn:aws:sns:{plan.region}:{plan.account}:{plan.environment.prefix}-alarms"
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    answer = if_exists(pages.build_full_result, *ABSENT)
    if answer is None:
        yield warning(
            "the deployment creates the alarm topic",
            f"{plan.file}: alarm_addresses",
            "confirm the subscription by the link in the mail that AWS sends to each address",
        )
        return
    subscriptions = answer["Subscriptions"]
    pending = [one["Endpoint"] for one in subscriptions if one["SubscriptionArn"] == PENDING]
    confirmed = len(subscriptions) - len(pending)
    report = warning if confirmed or plan.environment.alarm_topics else error
    for endpoint in pending:
        yield report(
            f"the subscription of {endpoint} is not confirmed: no alarm reaches it",
            topic,
            "open the link in AWS's mail; for a new one:"
            f" aws sns subscribe --topic-arn {topic} --protocol email"
            f" --notification-endpoint {endpoint} --region {plan.region}",
        )
    if confirmed:
        yield ok(f"{confirmed} confirmed alarm subscriptions")
    elif not pending and not plan.environment.alarm_topics:
        yield error(
            "the alarm topic has no subscription", topic, f"set alarm_addresses in {plan.file}"
        )
