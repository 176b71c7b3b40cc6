"""The context of a function: its settings, AWS clients, keys and configuration, passed on as an argument.

The handler makes it at the first invocation (`lambdas.common.handler.StepHandler.context`). A part that costs
a call of AWS, or an import, is made at its first use (docs/adr/0180-one-context-per-function.md).
"""

from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

from botocore.config import Config

from lambdas.common.aws.clients import CONFIG, Clients, dependency
from lambdas.common.configuration import DeployedConfiguration, SenderEntry, read_configuration
from lambdas.common.keys import KeyRing
from lambdas.common.settings import Settings

RING_SECONDS = 900
"""Age in seconds at which a process reads a ring of keys again: a rotation waits for longer (docs/deploy.md)."""


@dataclass(frozen=True)
class Context:
    """One function's settings and AWS clients, and the parts made of them at their first use.

    A step with parts of its own has a subclass. Tests make one with a fake client or other settings.
    """

    settings: Settings
    clients: Clients = field(default_factory=Clients)
    _rings: dict[str, tuple[float, KeyRing]] = field(default_factory=dict, init=False, repr=False)

    def client(self, service: str, config: Config = CONFIG) -> Any:
        """The boto3 client of a service, made once."""
        return self.clients.get(service, config)

    @property
    def reference_keys(self) -> KeyRing:
        """The keys that make patient, encounter and recipient references, and digests of documents."""
        if self._is_read_again("reference"):
            ring = KeyRing.from_secret(self.secret(self.settings.reference_key_secret))
            self._rings["reference"] = monotonic(), ring
        return self._rings["reference"][1]

    @property
    def audit_keys(self) -> KeyRing:
        """The keys that seal mails, and that sealed the audit chains of earlier versions."""
        if self._is_read_again("audit"):
            ring = KeyRing.from_secret(self.secret(self.settings.audit_key_secret))
            self._rings["audit"] = monotonic(), ring
        return self._rings["audit"][1]

    def _is_read_again(self, name: str) -> bool:
        return name not in self._rings or monotonic() - self._rings[name][0] > RING_SECONDS

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
