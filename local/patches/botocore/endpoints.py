"""Resolve the endpoint of an operation once for each client whose endpoint is given.

botocore evaluates the rules of a service's endpoints for each request. With a given endpoint the
result depends on the operation and on the parameters that the rules name, such as S3's bucket. The
features that the rules note for the User-Agent are noted the first time only.
"""

from typing import Any

from botocore.endpoint_provider import S3_UNREFERENCED_PARAMS, RuleSetEndpoint
from botocore.regions import EndpointResolverBuiltins, EndpointRulesetResolver

from local.patches.patching import replace

MAX_ENDPOINTS = 1000
"""Endpoints that a client keeps: one for each operation, and of S3 for each bucket too."""

_construct = EndpointRulesetResolver.construct_endpoint
_STORED = "constructed_endpoints"


def install() -> None:
    """Changes the endpoints of this process's botocore; calling it again changes nothing."""
    replace(EndpointRulesetResolver, "construct_endpoint", _cached)


def _cached(
    resolver: EndpointRulesetResolver,
    operation_model: Any,
    call_args: dict[str, Any] | None,
    request_context: dict[str, Any] | None,
) -> RuleSetEndpoint:
    """The endpoint that botocore constructs."""
    if resolver._builtins.get(EndpointResolverBuiltins.SDK_ENDPOINT) is None:
        return _construct(resolver, operation_model, call_args, request_context)
    named = resolver._get_dynamic_context_params(operation_model)
    arguments = call_args or {}
    key = (
        operation_model.name,
        *(
            arguments.get(member)
            for name, member in named.items()
            if name not in S3_UNREFERENCED_PARAMS
        ),
    )
    stored: dict[object, RuleSetEndpoint] = resolver.__dict__.setdefault(_STORED, {})
    if key not in stored:
        if len(stored) == MAX_ENDPOINTS:
            stored.clear()
        stored[key] = _construct(resolver, operation_model, call_args, request_context)
    return stored[key]
