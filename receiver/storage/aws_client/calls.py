"""Calls S3 and SQS, and raises their failures as errors of the receiver.

botocore finds endpoints and credentials. Each call is one signed HTTP request.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from receiver.errors import StoreUnavailableError
from receiver.settings import ReceiverSettings, SettingError
from receiver.storage.aws_client.http import ExchangeError, HttpPool, HttpResponse
from receiver.storage.aws_client.signature import Credentials, signed_head
from receiver.telemetry.log import where

# Two tries of at most 3.5 s and a pause of at most 0.2 s: 7.2 s, below `store_seconds` (9 s).
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 1.0, 2.5, 2
_MAX_RETRY_PAUSE_SECONDS = 0.2
_QUEUE_CONNECTIONS = 16
_REFRESH_SECONDS = 60.0  # temporary credentials are renewed minutes before they end

_CODE = re.compile(rb"<Code>([\w.]+)</Code>")
_TRANSIENT = frozenset(
    (
        *("SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "ThrottledException"),
        *("RequestThrottled", "RequestThrottledException", "TooManyRequestsException"),
        *("RequestLimitExceeded", "KmsThrottled", "KMS.ThrottlingException"),
    )
)
_STALE = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired"))


class ServiceResponseError(StoreUnavailableError):
    """Raised for an error response. Holds AWS's error code and the HTTP status."""

    def __init__(self, call: str, code: str, status: int) -> None:
        super().__init__(f"{call}: {code}")
        self.code = code
        self.status = status
        self.is_final = status < 500 and status != 429 and code not in _TRANSIENT | _STALE


@dataclass(frozen=True, slots=True)
class Call:
    """An unsigned request to a service. `headers` have lower-case names and leave out `host`."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    body_sha256: str = ""


class ProcessCredentials:
    """The current credentials of the process. Those of an ECS task change while it runs."""

    def __init__(self, session: botocore.session.Session) -> None:
        self._credentials = session.get_credentials()
        self.current: Credentials | None = None
        self.read()

    def read(self) -> None:
        """Reads the credentials again. May block. On a failure the earlier credentials stay in use."""
        if self._credentials is None:
            return
        with contextlib.suppress(BotoCoreError):
            frozen = self._credentials.get_frozen_credentials()
            self.current = Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")

    async def keep_fresh(self) -> None:
        """Reads the credentials every minute, until cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await asyncio.to_thread(self.read)


class AwsService:
    """One AWS service at one endpoint."""

    def __init__(
        self,
        name: str,
        url: str,
        region: str,
        identity: ProcessCredentials,
        connections: int,
        *,
        ca_bundle: str = "",
    ) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        usual_port = 443 if secure else 80
        port = parts.port or usual_port
        self.name = name
        self._host = f"{parts.hostname}" if port == usual_port else f"{parts.hostname}:{port}"
        self._region = region
        self._identity = identity
        self._pool = HttpPool(
            parts.hostname or "",
            port,
            tls=_tls(ca_bundle) if secure else None,
            size=connections,
            connect_seconds=_CONNECT_SECONDS,
            answer_seconds=_READ_SECONDS,
        )

    async def call(self, call: Call) -> HttpResponse:
        """Returns the service's response with a status below 300. Retries a transient failure once.

        Raises `ServiceResponseError` for an error answer, `StoreUnavailableError` when none comes.
        """
        failure: StoreUnavailableError | None = None
        tries = 0
        try:
            while tries < _TRIES:
                if tries:
                    await asyncio.sleep(random.uniform(0, _MAX_RETRY_PAUSE_SECONDS))
                try:
                    answer = await self.send(call)
                except ExchangeError as error:
                    # A pooled connection that the service has closed does not count as a try.
                    tries += not error.reused
                    failure = StoreUnavailableError(f"{self.name} {call.operation}: {error}")
                    continue
                if answer.status < 300:
                    return answer
                code = _error_code(answer)
                failure = ServiceResponseError(f"{self.name} {call.operation}", code, answer.status)
                if failure.is_final:
                    break
                if code in _STALE:
                    await asyncio.to_thread(self._identity.read)
                tries += 1
            raise failure or StoreUnavailableError(f"{self.name}: not tried")
        finally:
            # The error holds this frame: held by the frame in turn, it would keep the message until a
            # collection of reference cycles.
            failure = None

    async def send(self, call: Call) -> HttpResponse:
        """Returns the response to one try, of any status. Raises `ExchangeError` when none comes."""
        credentials = self._identity.current
        if credentials is None:
            raise ExchangeError("no credentials")
        head = signed_head(
            call.method,
            call.path,
            {"host": self._host, **call.headers, "content-length": str(len(call.body))},
            call.body_sha256 or hashlib.sha256(call.body).hexdigest(),
            service=self.name,
            region=self._region,
            credentials=credentials,
        )
        return await self._pool.exchange(head, call.body, has_body=call.method != "HEAD")

    def close(self) -> None:
        """Closes its idle connections."""
        self._pool.close()


class Aws:
    """The receiver's AWS services: S3 for vault and configuration, SQS for the queue, credentials."""

    def __init__(self, settings: ReceiverSettings) -> None:
        session = botocore.session.get_session()
        self.identity = ProcessCredentials(session)
        s3, sqs = session.create_client("s3"), session.create_client("sqs")
        region = s3.meta.region_name

        def service(name: str, endpoint: str, connections: int) -> AwsService:
            bundle = settings.ca_bundle
            return AwsService(name, endpoint, region, self.identity, connections, ca_bundle=bundle)

        endpoint, self.vault_path = _bucket(s3.meta.endpoint_url, settings.vault_bucket)
        self.s3 = service("s3", endpoint, settings.store_connections)
        bucket = settings.configuration_bucket
        endpoint, self.configuration_path = _bucket(s3.meta.endpoint_url, bucket)
        self.configuration = service("s3", endpoint, connections=1)
        self.sqs = service("sqs", sqs.meta.endpoint_url, _QUEUE_CONNECTIONS)

    async def ask_queue(self, operation: str, document: dict[str, Any]) -> dict[str, Any]:
        """Returns SQS's response to an operation (AWS JSON 1.0). Raises the errors of `AwsService.call`."""
        body = json.dumps(document, separators=(",", ":")).encode()
        answer = await self.sqs.call(
            Call(
                operation,
                "POST",
                "/",
                {
                    "content-type": "application/x-amz-json-1.0",
                    "x-amz-target": f"AmazonSQS.{operation}",
                },
                body,
            )
        )
        try:
            found: dict[str, Any] = json.loads(answer.body)
        except ValueError:
            raise StoreUnavailableError(f"sqs {operation}: the answer is not JSON") from None
        return found

    def close(self) -> None:
        """Closes the idle connections."""
        self.s3.close()
        self.configuration.close()
        self.sqs.close()


def read_secret(secret_id: str, variable: str) -> str:
    """Returns a secret's text. Blocks.

    Raises `SettingError` when it cannot be read, with the variable that names it and AWS's error code.
    """
    patient = Config(retries={"mode": "standard", "total_max_attempts": 5})
    try:
        client = botocore.session.get_session().create_client("secretsmanager", config=patient)
        text: str = client.get_secret_value(SecretId=secret_id)["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as error:
        raise SettingError(f"{variable}: the secret cannot be read ({where(error)})") from None
    return text


def _bucket(endpoint: str, bucket: str) -> tuple[str, str]:
    """The bucket's endpoint and root path: virtual-hosted style on AWS, path style elsewhere.

    Source: Amazon S3 User Guide, "Virtual hosting of general purpose buckets".
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if ".amazonaws.com" in host and "." not in bucket:
        return f"{parts.scheme}://{bucket}.{host}", "/"
    return endpoint, f"/{bucket}/"


def _tls(ca_bundle: str) -> ssl.SSLContext:
    bundle = ca_bundle or str(Path(botocore.__file__).parent / "cacert.pem")
    return ssl.create_default_context(cafile=bundle)


def _error_code(answer: HttpResponse) -> str:
    """The error code in S3's XML or SQS's JSON, else `status <number>`."""
    found = _CODE.search(answer.body)
    if found:
        return found[1].decode()
    try:
        kind = str(json.loads(answer.body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}"
    return kind if re.fullmatch(r"[\w.]+", kind) else f"status {answer.status}"
