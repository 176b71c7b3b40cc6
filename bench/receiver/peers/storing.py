"""Stores a message for every Python peer: boto3 `put_object`, then `send_message`."""

import json
import os
import uuid

import boto3
from botocore.config import Config

HOST = "127.0.0.1"


class Storing:
    """The vault bucket and the queue, as a user of boto3 calls them; safe to share between threads."""

    def __init__(self) -> None:
        config = Config(max_pool_connections=64)
        self._bucket = os.environ["ENS_VAULT_BUCKET"]
        self._queue_url = os.environ["ENS_QUEUE_URL"]
        self._s3 = boto3.client("s3", config=config)
        self._sqs = boto3.client("sqs", config=config)

    def store(self, message: bytes) -> None:
        """Returns once both have confirmed; raises boto3's errors."""
        identity = uuid.uuid4().hex
        key = f"messages/{identity}.hl7"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=message)
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=json.dumps({"bucket": self._bucket, "key": key, "bytes": len(message)}),
            MessageGroupId=identity,
            MessageDeduplicationId=identity,
        )


def raw_acknowledgement(message: bytes) -> bytes:
    """Returns an AA made from MSH without a parser, with the least work possible."""
    msh = message[: message.find(b"\r")].split(b"|")
    fields = [b"MSH", msh[1], msh[4], msh[5], msh[2], msh[3], msh[6], b"", b"ACK", msh[9], msh[10]]
    return b"|".join([*fields, msh[11]]) + b"\rMSA|AA|" + msh[9] + b"\r"
