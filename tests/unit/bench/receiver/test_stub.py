"""The stand-in for S3, SQS and Secrets Manager that every contender stores to."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

ROOT = Path(__file__).resolve().parents[4]
Start = Callable[..., str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a stub with these options and returns its address."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.receiver.stub", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )


def entries(*identities: str) -> list[dict[str, str]]:
    return [
        {
            "Id": str(number),
            "MessageBody": "{}",
            "MessageGroupId": "g",
            "MessageDeduplicationId": identity,
        }
        for number, identity in enumerate(identities)
    ]


def test_an_object_is_written_once_where_its_writer_asks_for_that(start: Start) -> None:
    s3 = client("s3", start())
    first = s3.put_object(Bucket="vault", Key="a/b", Body=b"MSH", Metadata={"sha256": "00"})
    with pytest.raises(ClientError) as refusal:
        s3.put_object(Bucket="vault", Key="a/b", Body=b"other", IfNoneMatch="*")
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    standing = s3.head_object(Bucket="vault", Key="a/b")
    assert standing["VersionId"] == first["VersionId"]
    assert standing["ContentLength"] == 3
    assert standing["Metadata"] == {"sha256": "00"}


def test_each_entry_of_a_batch_is_confirmed(start: Start) -> None:
    answer = client("sqs", start()).send_message_batch(
        QueueUrl="http://queue/1/q.fifo", Entries=entries("a", "b")
    )
    assert [one["Id"] for one in answer["Successful"]] == ["0", "1"]


def test_the_reference_key_is_there(start: Start) -> None:
    answer = client("secretsmanager", start()).get_secret_value(SecretId="any")
    assert json.loads(answer["SecretString"])["current"] == "k1"


def test_what_was_confirmed_stands_in_the_file_and_is_known_to_the_next_stub(
    start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "confirmed.jsonl"
    url = start("--durable", str(file))
    client("s3", url).put_object(Bucket="vault", Key="a", Body=b"MSH")
    client("sqs", url).send_message_batch(QueueUrl="http://q/1/q.fifo", Entries=entries("a", "a"))

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line.get("put") for line in lines] == ["/vault/a", None, None]
    assert [line.get("duplicate") for line in lines] == [None, False, True]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client("s3", start("--durable", str(file))).put_object(
            Bucket="vault", Key="a", Body=b"MSH", IfNoneMatch="*"
        )


def test_calls_fail_as_often_as_it_is_told_and_some_after_they_took_effect(
    start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "confirmed.jsonl"
    s3 = client("s3", start("--durable", str(file), "--fail-rate", "1"))
    confirmed = 0
    for number in range(20):
        try:
            s3.put_object(Bucket="vault", Key=str(number), Body=b"MSH")
            confirmed += 1
        except (ClientError, HTTPClientError):
            pass
    assert confirmed == 0
    assert 0 < len(file.read_text().splitlines()) < 20
