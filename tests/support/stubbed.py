"""AWS's answers as a test sets them: botocore's Stubber holds each to the service model."""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.stub import Stubber

REGION = "us-east-1"


@dataclass
class StubbedClients:
    """Clients whose answers a test sets, in the order of the calls; no call goes anywhere."""

    _clients: dict[str, Any] = field(default_factory=dict)
    _stubs: dict[str, Stubber] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The stubbed client; a call without a prepared answer fails."""
        if service not in self._clients:
            client = boto3.client(
                service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
            )
            self._clients[service] = client
            self._stubs[service] = Stubber(client)
            self._stubs[service].activate()
        return self._clients[service]

    def give(
        self,
        service: str,
        operation: str,
        answer: dict[str, Any],
        asked: dict[str, Any] | None = None,
    ) -> "StubbedClients":
        """Prepares an answer; with `asked`, the call must have these parameters."""
        self.client(service)
        self._stubs[service].add_response(operation, answer, asked)
        return self

    def refuse(self, service: str, operation: str, code: str) -> "StubbedClients":
        """Prepares an error."""
        self.client(service)
        self._stubs[service].add_client_error(operation, code)
        return self
