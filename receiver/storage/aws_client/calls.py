"""Calls S3 and SQS, and translates their failures into the receiver's errors.

botocore supplies endpoints and credentials; each call is one signed HTTP request.
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
from botocore.exceptions import BotoCoreError

from receiver.errors import StoreUnavailableError
from receiver.settings import Settings
from receiver.storage.aws_client.http import Answer, ExchangeError, HttpPool
from receiver.storage.aws_client.signature import Credentials, signed_head

# Two tries of at most 3.5 s and a pause below 1 s: after one hanging call there is still time to
# answer the sender, and `store_seconds` limits a second call.
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 1.0, 2.5, 2
_LONGEST_PAUSE = 0.2
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


class ServiceRefusedError(StoreUnavailableError):
    """A service answered with an error: AWS's error code and the HTTP status."""

    def __init__(self, call: str, code: str, status: int) -> None:
        super().__init__(f"{call}: {code}")
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service, not signed yet. `headers` have lower-case names, without `host`."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    body_sha256: str = ""


class Identity:
    """The credentials of the process, as they are now. A task's credentials change while it runs."""

    def __init__(self, session: Any) -> None:
        self._credentials = session.get_credentials()
        self.current: Credentials | None = None
        self.read()

    def read(self) -> None:
        """Reads the credentials again; may block on the network. On a failure the old ones stay."""
        if self._credentials is None:
            return
        with contextlib.suppress(BotoCoreError):
            frozen = self._credentials.get_frozen_credentials()
            self.current = Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")

    async def keep_fresh(self) -> None:
        """Reads them again every minute, until cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await asyncio.to_thread(self.read)


class Service:
    """One AWS service at one endpoint."""

    def __init__(
        self,
        name: str,
        url: str,
        region: str,
        identity: Identity,
        connections: int,
        *,
        ca_bundle: str = "",
    ) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        default = parts.port in (None, 443 if secure else 80)
        self.name = name
        self._host = f"{parts.hostname}" if default else f"{parts.hostname}:{port}"
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

    async def call(self, call: Call) -> Answer:
        """Returns the service's answer with a status below 300. A transient failure is retried once.

        Raises `ServiceRefusedError` for an error answer, `StoreUnavailableError` when none comes.
        """
        failure: StoreUnavailableError | None = None
        tries = 0
        while tries < _TRIES:
            if tries:
                await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))
            try:
                answer = await self.send(call)
            except ExchangeError as error:
                # A pooled connection that the service closed meanwhile is not a failure of the service.
                tries += not error.reused
                failure = StoreUnavailableError(f"{self.name} {call.operation}: {error}")
                continue
            if answer.status < 300:
                return answer
            code = _error_code(answer)
            refusal = ServiceRefusedError(f"{self.name} {call.operation}", code, answer.status)
            if code in _STALE:
                await asyncio.to_thread(self._identity.read)
            elif answer.status < 500 and answer.status != 429 and code not in _TRANSIENT:
                raise refusal
            tries += 1
            failure = refusal
        raise failure or StoreUnavailableError(f"{self.name}: not tried")

    async def send(self, call: Call) -> Answer:
        """The answer to one try, of any status. Raises `ExchangeError` when none comes."""
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
    """The receiver's AWS services: S3 of vault and configuration, SQS of the queue, credentials."""

    def __init__(self, settings: Settings) -> None:
        session = botocore.session.get_session()
        self.identity = Identity(session)
        s3, sqs = session.create_client("s3"), session.create_client("sqs")
        region = s3.meta.region_name
        endpoint, self.vault_path = _bucket(s3.meta.endpoint_url, settings.vault_bucket)
        bundle = settings.ca_bundle
        self.s3 = Service(
            "s3", endpoint, region, self.identity, settings.store_connections, ca_bundle=bundle
        )
        endpoint, self.configuration_path = _bucket(
            s3.meta.endpoint_url, settings.configuration_bucket
        )
        self.configuration = Service(
            "s3", endpoint, region, self.identity, connections=1, ca_bundle=bundle
        )
        self.sqs = Service(
            "sqs",
            sqs.meta.endpoint_url,
            region,
            self.identity,
            _QUEUE_CONNECTIONS,
            ca_bundle=bundle,
        )

    async def ask_queue(self, operation: str, document: dict[str, Any]) -> dict[str, Any]:
        """SQS's answer to an operation (AWS JSON 1.0). Raises as `Service.call` does."""
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


def read_secret(secret_id: str) -> str:
    """A secret's text; blocks. Raises botocore's errors when it cannot be read."""
    patient = Config(retries={"mode": "standard", "total_max_attempts": 5})
    client = botocore.session.get_session().create_client("secretsmanager", config=patient)
    text: str = client.get_secret_value(SecretId=secret_id)["SecretString"]
    return text


def _bucket(endpoint: str, bucket: str) -> tuple[str, str]:
    """The bucket's endpoint and the path of its root: AWS names the bucket in the host."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if ".amazonaws.com" in host and "." not in bucket:
        return f"{parts.scheme}://{bucket}.{host}", "/"
    return endpoint, f"/{bucket}/"


def _tls(ca_bundle: str) -> ssl.SSLContext:
    bundle = ca_bundle or str(Path(botocore.__file__).parent / "cacert.pem")
    return ssl.create_default_context(cafile=bundle)


def _error_code(answer: Answer) -> str:
    """The service's error code from S3's XML or SQS's JSON, else the status."""
    found = _CODE.search(answer.body)
    if found:
        return found[1].decode()
    try:
        kind = str(json.loads(answer.body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}"
    return kind if re.fullmatch(r"[\w.]+", kind) else f"status {answer.status}"
