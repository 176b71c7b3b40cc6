"""The receiver's own client (receiver/storage/aws_client)."""

from types import SimpleNamespace

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
from receiver.storage.aws_client.calls import AwsService, Call, ProcessCredentials
from receiver.storage.aws_client.signature import Credentials, signed_head


class OwnClient:
    """httptools on asyncio protocols, with its own signer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        fixed = SimpleNamespace(access_key=ACCESS_KEY, secret_key=SECRET_KEY, token="")
        source = SimpleNamespace(get_frozen_credentials=lambda: fixed)
        identity = ProcessCredentials(SimpleNamespace(get_credentials=lambda: source))
        self._s3, self._sqs = (
            AwsService(
                name,
                endpoint.url,
                REGION,
                identity,
                endpoint.connections,
                ca_bundle=endpoint.ca_file,
            )
            for name in ("s3", "sqs")
        )

    async def put(self, request: PutRequest) -> str:
        """Returns the version of the stored object."""
        call = Call(
            "PutObject", "PUT", request.path, request.headers(), request.body, request.sha256
        )
        answer = await self._s3.call(call)
        return answer.headers[b"x-amz-version-id"].decode()

    async def send(self, entries: list[dict[str, str]]) -> int:
        """Returns how many entries SQS has confirmed."""
        body = batch_body(self._endpoint, entries)
        answer = await self._sqs.call(Call("SendMessageBatch", "POST", "/", BATCH_HEADERS, body))
        return confirmed(answer.body)

    def close(self) -> None:
        """Closes the connections."""
        self._s3.close()
        self._sqs.close()


_CREDENTIALS = Credentials(ACCESS_KEY, SECRET_KEY)


def sign(endpoint: Endpoint, request: PutRequest) -> str:
    """Returns the Authorization header of a PutObject."""
    headers = {
        "host": f"{endpoint.host}:{endpoint.port}",
        **request.headers(),
        "content-length": str(len(request.body)),
    }
    head = signed_head(
        "PUT",
        request.path,
        headers,
        request.sha256,
        service="s3",
        region=REGION,
        credentials=_CREDENTIALS,
    )
    return head.decode().partition("authorization: ")[2].partition("\r")[0]
