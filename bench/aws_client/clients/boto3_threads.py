"""boto3's clients, called in threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import boto3
from botocore.config import Config

from bench.aws_client.clients.interface import (
    ACCESS_KEY,
    BUCKET,
    REGION,
    SECRET_KEY,
    Endpoint,
    PutRequest,
    queue_url,
)


class Boto3Client:
    """`put_object` and `send_message_batch`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._queue_url = queue_url(endpoint)
        session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        self._threads = ThreadPoolExecutor(endpoint.connections)
        self._s3, self._sqs = (
            session.client(
                name,
                endpoint_url=endpoint.url,
                verify=endpoint.ca_file or None,
                config=Config(max_pool_connections=endpoint.connections),
            )
            for name in ("s3", "sqs")
        )

    async def put(self, request: PutRequest) -> str:
        """Returns the version of the stored object."""
        put = partial(
            self._s3.put_object,
            Bucket=BUCKET,
            Key=request.key,
            Body=request.body,
            IfNoneMatch="*",
            ContentType="x-application/hl7-v2+er7",
            Metadata={"sha256": request.sha256},
            ChecksumSHA256=request.headers()["x-amz-checksum-sha256"],
        )
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, put)
        return str(answer["VersionId"])

    async def send(self, entries: list[dict[str, str]]) -> int:
        """Returns how many entries SQS has confirmed."""
        send = partial(self._sqs.send_message_batch, QueueUrl=self._queue_url, Entries=entries)
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, send)
        return len(answer["Successful"])

    def close(self) -> None:
        """Closes the connections."""
        self._threads.shutdown()
        self._s3.close()
        self._sqs.close()
