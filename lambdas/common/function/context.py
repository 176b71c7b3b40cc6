"""The context of a function: its settings, AWS clients, keys and configuration, passed on as an argument.

The handler makes it at the first invocation (`lambdas.common.function.handler.StepHandler.context`). A part
that costs a call of AWS, or an import, is made at its first use
(docs/adr/0180-one-context-per-function.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any, TypeVar

from botocore.config import Config

from lambdas.common.aws.clients import CONFIG, Clients, dependency
from lambdas.common.configuration import DeployedConfiguration, SenderEntry, read_configuration
from lambdas.common.function.settings import Settings
from lambdas.common.keys import KeyRing

SECRET_SECONDS = 900
"""Age in seconds at which a process reads a secret's keys again: a rotation waits for longer (docs/deploy.md)."""

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """One function's settings and AWS clients, and the parts made of them at their first use.

    A step with parts of its own has a subclass. Tests make one with a fake client or other settings.
    """

    settings: Settings
    clients: Clients = field(default_factory=Clients)
    _from_secrets: dict[str, tuple[float, Any]] = field(
        default_factory=dict, init=False, repr=False
    )

    def client(self, service: str, config: Config = CONFIG) -> Any:
        """The boto3 client of a service, made once."""
        return self.clients.get(service, config)

    @property
    def reference_keys(self) -> KeyRing:
        """The keys that make patient, encounter and recipient references, and digests of documents."""
        return self.from_secret(self.settings.reference_key_secret, KeyRing.from_secret)

    @property
    def audit_keys(self) -> KeyRing:
        """The keys that seal mails, and that sealed the audit chains of earlier versions."""
        return self.from_secret(self.settings.audit_key_secret, KeyRing.from_secret)

    def from_secret(self, secret_id: str, read: Callable[[str], T]) -> T:
        """The value that `read` makes of a secret's text, made again when it is older than `SECRET_SECONDS`."""
        read_at, value = self._from_secrets.get(secret_id, (0.0, None))
        if value is None or monotonic() - read_at > SECRET_SECONDS:
            value = read(self.secret(secret_id))
            self._from_secrets[secret_id] = monotonic(), value
        made: T = value
        return made

    @cached_property
    def configuration(self) -> DeployedConfiguration:
        """The configuration document; errors as `read_configuration`."""
        return read_configuration(self.client("s3"), self.settings)

    @property
    def senders(self) -> dict[str, SenderEntry]:
        """The senders of the configuration document by name."""
        return self.configuration.senders

    def secret(self, secret_id: str) -> str:
        """The text of a secret. Raises `DependencyUnavailableError` when Secrets Manager does not answer."""
        with dependency("secretsmanager"):
            answer = self.client("secretsmanager").get_secret_value(SecretId=secret_id)
        text: str = answer["SecretString"]
        return text
