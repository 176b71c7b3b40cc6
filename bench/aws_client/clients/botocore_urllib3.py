"""botocore's signer and a urllib3 pool, called in threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import urllib3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.aws_client.clients.interface import (
    ACCESS_KEY,
    BATCH_HEADERS,
    REGION,
    SECRET_KEY,
    Endpoint,
    PutRequest,
    batch_body,
    confirmed,
)

_CREDENTIALS = Credentials(ACCESS_KEY, SECRET_KEY)


class BotocoreUrllib3Client:
    """The least that botocore's signer and urllib3 need: no model, no parser, no checksum of boto3."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._http = urllib3.PoolManager(
            maxsize=endpoint.connections, block=True, ca_certs=endpoint.ca_file or None
        )
        self._threads = ThreadPoolExecutor(endpoint.connections)
        self._s3 = S3SigV4Auth(_CREDENTIALS, "s3", REGION)
        self._sqs = SigV4Auth(_CREDENTIALS, "sqs", REGION)

    async def put(self, request: PutRequest) -> str:
        """Returns the version of the stored object."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._put, request)

    async def send(self, entries: list[dict[str, str]]) -> int:
        """Returns how many entries SQS has confirmed."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, entries)

    def close(self) -> None:
        """Closes the connections."""
        self._threads.shutdown()
        self._http.clear()

    def _put(self, request: PutRequest) -> str:
        signed = _signed(self._s3, self._endpoint, request)
        answer = self._http.request(
            "PUT", signed.url, body=request.body, headers=dict(signed.headers)
        )
        assert answer.status == 200, answer.status
        return answer.headers["x-amz-version-id"]

    def _send(self, entries: list[dict[str, str]]) -> int:
        body = batch_body(self._endpoint, entries)
        request = AWSRequest("POST", f"{self._endpoint.url}/", headers=BATCH_HEADERS, data=body)
        self._sqs.add_auth(request)
        answer = self._http.request("POST", request.url, body=body, headers=dict(request.headers))
        assert answer.status == 200, answer.status
        return confirmed(answer.data)


def _signed(signer: S3SigV4Auth, endpoint: Endpoint, request: PutRequest) -> AWSRequest:
    headers = {**request.headers(), "x-amz-content-sha256": request.sha256}
    prepared = AWSRequest("PUT", endpoint.url + request.path, headers=headers, data=request.body)
    signer.add_auth(prepared)
    return prepared


def sign(endpoint: Endpoint, request: PutRequest) -> str:
    """Returns the Authorization header of a PutObject."""
    signed = _signed(S3SigV4Auth(_CREDENTIALS, "s3", REGION), endpoint, request)
    return str(signed.headers["Authorization"])
