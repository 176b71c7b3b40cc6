"""The policy of a topic, queue, bucket or key admits its callers in the template, and no others.

A policy of ours replaces the service's default one: with a Deny alone nobody may call.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.infra.conftest import EVERY, Stacks
from tests.infra.policy import ACCOUNT, REGION, ServiceCall, allowed, policies, resolved
from tests.infra.template import Resource, Template

KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


@pytest.fixture(params=EVERY)
def stacks(request: pytest.FixtureRequest, synthesised: Callable[[str], Stacks]) -> Stacks:
    return synthesised(request.param)


def alarms(stacks: Stacks) -> Iterator[Resource]:
    for template in stacks.values():
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
            yield alarm["Properties"]


def topic_of(core: Template) -> tuple[str, Resource]:
    ((logical_id, topic),) = core.of_type("AWS::SNS::Topic").items()
    return logical_id, topic["Properties"]


def publication(core: Template, alarm: str, account: str = ACCOUNT) -> ServiceCall:
    """CloudWatch publishes for an alarm (SNS developer guide, "Example policies for alarms")."""
    return ServiceCall(
        "cloudwatch.amazonaws.com",
        "sns:Publish",
        f"<{topic_of(core)[0]}>",
        {
            "aws:SourceAccount": account,
            "aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{account}:alarm:{alarm}",
        },
    )


def test_every_alarm_reaches_the_topic_that_it_names(stacks: Stacks) -> None:
    core = stacks["core"]
    logical_id, _ = topic_of(core)
    policy = policies(core, "AWS::SNS::TopicPolicy", "Topics", logical_id)
    found = list(alarms(stacks))
    assert len(found) > 15
    for alarm in found:
        for action in alarm["AlarmActions"]:
            assert logical_id in resolved(action)
        assert allowed(policy, publication(core, alarm["AlarmName"])), alarm["AlarmName"]


def test_the_topic_takes_nothing_from_elsewhere_and_nothing_in_plain_text(stacks: Stacks) -> None:
    core = stacks["core"]
    policy = policies(core, "AWS::SNS::TopicPolicy", "Topics", topic_of(core)[0])
    (alarm, *_) = (alarm["AlarmName"] for alarm in alarms(stacks))
    assert not allowed(policy, publication(core, alarm), tls=False)
    assert not allowed(policy, publication(core, alarm, account="210987654321"))
    assert not allowed(policy, publication(core, "somebody-else"))


def test_cloudwatch_may_encrypt_what_it_publishes_to_the_topic(stacks: Stacks) -> None:
    """CloudWatch calls KMS itself; SNS names the topic in the encryption context."""
    core = stacks["core"]
    _, topic = topic_of(core)
    key = resolved(topic["KmsMasterKeyId"])
    name = topic["TopicName"]
    for action in KEY_ACTIONS:
        assert uses_key(core, key, "cloudwatch.amazonaws.com", action, sns_context(name))
        assert not uses_key(core, key, "cloudwatch.amazonaws.com", action, sns_context("other"))


def sns_context(topic: str) -> dict[str, str]:
    """SNS developer guide, "Key management", "Encryption context"."""
    return {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"}


def uses_key(
    template: Template, key: str, service: str, action: str, context: dict[str, str]
) -> bool:
    logical_id = key.strip("<>").removesuffix(".Arn")
    policy = template.resources[logical_id]["Properties"]["KeyPolicy"]
    return allowed(policy, ServiceCall(service, action, "*", context))


def test_what_a_rule_cannot_deliver_gets_into_its_encrypted_dead_letter_queue(
    stacks: Stacks,
) -> None:
    seen = 0
    for template in stacks.values():
        for rule_id, rule in template.of_type("AWS::Events::Rule").items():
            for target in rule["Properties"]["Targets"]:
                if "DeadLetterConfig" not in target:
                    continue
                seen += 1
                arn = resolved(target["DeadLetterConfig"]["Arn"])
                queue = arn.strip("<>").removesuffix(".Arn")
                source = {"aws:SourceArn": f"<{rule_id}.Arn>", "aws:SourceAccount": ACCOUNT}
                policy = policies(template, "AWS::SQS::QueuePolicy", "Queues", queue)
                send = ServiceCall("events.amazonaws.com", "sqs:SendMessage", arn, source)
                assert allowed(policy, send)
                assert not allowed(policy, send, tls=False)
                key = resolved(template.resources[queue]["Properties"]["KmsMasterKeyId"])
                # EventBridge names the account to KMS, but is not known to name the rule.
                account = {"aws:SourceAccount": ACCOUNT}
                for action in KEY_ACTIONS:
                    assert uses_key(template, key, "events.amazonaws.com", action, account)
                    assert not uses_key(
                        template,
                        key,
                        "events.amazonaws.com",
                        action,
                        {"aws:SourceAccount": "210987654321"},
                    )
    assert seen


def test_s3_may_deliver_the_access_logs_of_every_bucket_that_has_them(stacks: Stacks) -> None:
    seen = 0
    for template in stacks.values():
        for bucket_id, bucket in template.of_type("AWS::S3::Bucket").items():
            logging = bucket["Properties"].get("LoggingConfiguration")
            if not logging:
                continue
            seen += 1
            target = resolved(logging["DestinationBucketName"]).strip("<>")
            policy = policies(template, "AWS::S3::BucketPolicy", "Bucket", target)
            write = ServiceCall(
                "logging.s3.amazonaws.com",
                "s3:PutObject",
                f"<{target}.Arn>/{logging['LogFilePrefix']}2026-11-26-00-00-00-0",
                {"aws:SourceArn": f"<{bucket_id}.Arn>", "aws:SourceAccount": ACCOUNT},
            )
            assert allowed(policy, write)
    assert seen


def test_cloudwatch_logs_may_use_the_key_of_every_log_group(stacks: Stacks) -> None:
    """Logs user guide, "Encrypt log data": without it the log group is not created."""
    seen = 0
    for template in stacks.values():
        for group in template.of_type("AWS::Logs::LogGroup").values():
            name, key = (
                group["Properties"]["LogGroupName"],
                resolved(group["Properties"]["KmsKeyId"]),
            )
            owner = template
            if key.startswith("<import"):
                owner, key = stacks["core"], "<KeyLogs.Arn>"
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
            context = {"kms:EncryptionContext:aws:logs:arn": arn}
            for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"):
                assert uses_key(owner, key, f"logs.{REGION}.amazonaws.com", action, context), name
            seen += 1
    assert seen


def test_a_rule_may_call_the_functions_that_are_its_targets(stacks: Stacks) -> None:
    seen = 0
    for template in stacks.values():
        permissions = [
            (resolved(p["Properties"]["FunctionName"]), resolved(p["Properties"]["SourceArn"]))
            for p in template.of_type("AWS::Lambda::Permission").values()
            if p["Properties"]["Principal"] == "events.amazonaws.com"
        ]
        for rule_id, rule in template.of_type("AWS::Events::Rule").items():
            for target in rule["Properties"]["Targets"]:
                if ":log-group:" in resolved(target["Arn"]):
                    continue  # tests/infra/test_grants.py compares these with the log's policy
                assert (resolved(target["Arn"]), f"<{rule_id}.Arn>") in permissions
                seen += 1
    assert seen
