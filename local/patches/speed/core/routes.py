"""Find the operation of a path once, for the services that are called by paths often.

moto matches the path of a request against all paths of the service, twice for each call.
"""

from collections.abc import Callable
from typing import Any

from moto.core.request import Request
from moto.core.responses import BaseResponse

from local.patches.patching import replace

SERVICES = frozenset({"lambda", "sesv2"})
"""Those whose operations depend on method, path and query alone."""

MAX_ROUTES = 500

_get_action: Callable[..., str | None] = BaseResponse._get_action_from_method_and_request_uri
_found: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}


def install() -> None:
    """Caches the routes of this process's moto; calling it again changes nothing."""
    replace(BaseResponse, "_get_action_from_method_and_request_uri", _cached)


def _cached(response: BaseResponse, request: Request) -> str | None:
    """The name of the operation, None for a path that the service does not have."""
    service = response.boto3_service_name
    if service not in SERVICES:
        return _get_action(response, request)
    key = (service, request.method, request.raw_path, request.query_string.decode("latin-1"))
    # Other threads may empty the cache at any time: it is read once.
    found = _found.get(key)
    if found is None:
        operation = _get_action(response, request)
        if operation is None:
            return None
        if len(_found) >= MAX_ROUTES:
            _found.clear()
        found = _found[key] = (operation, response.uri_match)
    operation, parameters = found
    response.uri_match = dict(parameters)
    return operation
