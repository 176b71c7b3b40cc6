"""Keep the clients with which a workflow's tasks call services.

moto makes a boto3 client for each task, which takes longer than most calls. The clients differ by region,
service and endpoint alone, and try once, so that they keep no count of retries.
"""

from types import SimpleNamespace
from typing import Any

import boto3
from moto.stepfunctions.parser.asl.utils import boto_client

from local.patches.patching import replace


def install() -> None:
    """Keeps the clients of this process's moto; calling it again changes nothing."""
    replace(boto_client, "boto3", SimpleNamespace(client=_client))


def _client(
    *, region_name: str, service_name: str, endpoint_url: str | None = None, **settings: Any
) -> Any:
    key = region_name, service_name, endpoint_url
    if key not in _clients:
        _clients[key] = boto3.Session().client(
            region_name=region_name,
            service_name=service_name,
            endpoint_url=endpoint_url,
            **settings,
        )
    return _clients[key]


_clients: dict[tuple[str, str, str | None], Any] = {}
