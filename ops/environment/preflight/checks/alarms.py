"""Checks that alarms have a confirmed subscription, and that the topics of `alarm_topics` can be used.

https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
"""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.checks.names import owned
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning

PENDING = "PendingConfirmation"
ABSENT = ("NotFound", "NotFoundException")


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Yields findings about `alarm_topics` and about the subscriptions of the environment's own topic."""
    if plan.environment.network is None:
        return
    for other in plan.environment.alarm_topics:
        yield from _other_topic(plan, clients, other)
    topic = f"arn:aws:sns:{plan.region}:{plan.account}:{plan.environment.prefix}-alarms"
    pages = clients.client("sns").get_paginator("list_subscriptions_by_topic")
    answer = if_exists(pages.paginate(TopicArn=topic).build_full_result, *ABSENT)
    if answer is None:
        yield warning(
            "the deployment creates the alarm topic",
            f"{plan.file}: alarm_addresses",
            "confirm the subscription by the link in the mail that AWS sends to each address",
        )
        return
    found = answer["Subscriptions"]
    # In place of the ARN stands the state of one that nobody has confirmed, and `Deleted` for one that ended.
    confirmed = {one["Endpoint"] for one in found if one["SubscriptionArn"].startswith("arn:")}
    pending = {one["Endpoint"] for one in found if one["SubscriptionArn"] == PENDING} - confirmed
    report = warning if confirmed or plan.environment.alarm_topics else error
    for endpoint in sorted(pending):
        yield report(
            f"the subscription of {endpoint} is not confirmed: no alarm reaches it",
            topic,
            f"open the link in AWS's mail; for a new one: {_subscribe(plan, topic, endpoint)}",
        )
    wanted = plan.assembly.of_type("AWS::SNS::Subscription")
    absent = [one for one in wanted if one.text("Endpoint") not in confirmed | pending]
    deployed = owned(clients.client("cloudformation"), plan.assembly.stacks) if absent else set()
    for one in absent:
        endpoint = one.text("Endpoint")
        if (one.stack, one.logical_id) in deployed:
            # SNS removes what nobody confirms within days, and CloudFormation does not make it again.
            yield report(
                f"{endpoint} is not subscribed any more: no alarm reaches it",
                topic,
                f"{_subscribe(plan, topic, endpoint)}, and open the link in AWS's mail",
            )
        else:
            yield warning(
                f"the deployment subscribes {endpoint}",
                f"{plan.file}: alarm_addresses",
                "confirm the subscription by the link in the mail that AWS sends",
            )
    if confirmed:
        yield ok(f"{len(confirmed)} confirmed alarm subscriptions")
    elif not (pending or absent or plan.environment.alarm_topics):
        yield error(
            "the alarm topic has no subscription", topic, f"set alarm_addresses in {plan.file}"
        )


def _subscribe(plan: Plan, topic: str, endpoint: str) -> str:
    return (
        f"aws sns subscribe --topic-arn {topic} --protocol email"
        f" --notification-endpoint {endpoint} --region {plan.region}"
    )


def _other_topic(plan: Plan, clients: ClientFactory, topic: str) -> Iterator[PreflightFinding]:
    """The topic is in the alarms' region, and exists where it is this account's: others cannot be read."""
    where = f"{plan.file}: alarm_topics"
    _, _, _, region, account, _ = topic.split(":", 5)
    if region != plan.region:
        yield error(
            f"the topic {topic} is in {region}: an alarm can use those of {plan.region} alone",
            where,
            f"name a topic in {plan.region}",
        )
    elif account != plan.account:
        yield warning(
            f"the topic {topic} is account {account}'s and was not looked up",
            where,
            "its policy must allow sns:Publish to cloudwatch.amazonaws.com for alarms of account"
            f" {plan.account}",
        )
    elif if_exists(clients.client("sns").get_topic_attributes, *ABSENT, TopicArn=topic) is None:
        yield error(
            f"the topic {topic} does not exist", where, "correct the ARN, or create the topic"
        )
