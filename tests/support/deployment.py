"""A deployed environment for operators' tests: queues, and a stack whose outputs name everything."""

import json
from typing import Any

from ops.deployment import Deployment, core_stack, find

GROUP = "k1.0123456789abcdef0123456789abcdef"
ME = "arn:aws:sts::123456789012:user/moto"
"""The principal of plain credentials, as moto's STS names it."""


def deploy(aws: Any, environment: str = "dev", visibility: int = 720) -> None:
    """Creates the queues and the core stack's outputs of an environment."""
    sqs = aws.client("sqs")
    urls = {
        name: sqs.create_queue(
            QueueName=f"hl7-ens-{environment}-{name}.fifo",
            Attributes={"FifoQueue": "true", "VisibilityTimeout": str(visibility)},
        )["QueueUrl"]
        for name in ("events", "dead-letters")
    }
    outputs = {
        "VaultBucket": "vault",
        "QueueUrl": urls["events"],
        "DeadLetterQueueUrl": urls["dead-letters"],
        "AuditTable": "audit",
        "StatusTable": "status",
        "LedgerTable": "ledger",
        "EncountersTable": "encounters",
        "RegistryTable": "registry",
        "ReferenceKeySecret": "reference-key",
        "AuditKeySecret": "audit-key",
        "AuditSealKeys": "alias/audit-seal",
        "AuditDigestBucket": "audit-digests",
    }
    template = {
        "Resources": {"Marker": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(
        StackName=core_stack(environment), TemplateBody=json.dumps(template)
    )


def deployed(aws: Any, environment: str = "dev") -> Deployment:
    """A fresh deployment, found as `ens` finds it."""
    deploy(aws, environment)
    return find(environment)


def dead_letter(
    aws: Any,
    deployment: Deployment,
    event_id: str,
    copy: str = "1",
    group: str = GROUP,
    sender: str = "northgen",
) -> str:
    """Puts an event's envelope on the dead-letter queue as the workflow does; the message's id."""
    answer = aws.client("sqs").send_message(
        QueueUrl=deployment.output("DeadLetterQueueUrl"),
        MessageBody=json.dumps({"event_id": event_id, "bucket": "vault", "sender": sender}),
        MessageGroupId=group,
        MessageDeduplicationId=f"source-{event_id}-{copy}",
    )
    message_id: str = answer["MessageId"]
    return message_id


def drain(aws: Any, url: str) -> list[dict[str, Any]]:
    """Every message that a queue hands out, each deleted; the body parsed under `envelope`."""
    sqs, found = aws.client("sqs"), []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append({**message, "envelope": json.loads(message["Body"])})
    return found
