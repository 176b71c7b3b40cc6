"""The input of every check: environment, assembly and account."""

from dataclasses import dataclass
from typing import Any, Protocol

from environments import Environment
from ops.environment.preflight.assembly import Assembly


@dataclass(frozen=True, slots=True)
class Plan:
    """An environment, its assembly, and the account id that the credentials belong to ("" offline)."""

    environment: Environment
    assembly: Assembly
    account: str = ""

    @property
    def file(self) -> str:
        """The environment's file as findings name it."""
        return f"environments/{self.environment.name}.toml"

    @property
    def region(self) -> str:
        """The region of the deployment."""
        return self.environment.region


class ClientFactory(Protocol):
    """The boto3 clients of the account and region, made at first use."""

    def client(self, service: str) -> Any:
        """The client of a service."""
        ...
