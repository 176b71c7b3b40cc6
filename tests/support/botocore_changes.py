"""The functions of botocore that `local.patches.botocore.install_for_loopback` replaces."""

from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session
from botocore.parsers import JSONParser
from botocore.regions import EndpointRulesetResolver
from botocore.serialize import JSONSerializer
from botocore.validate import ParamValidator

REPLACED: tuple[tuple[type, str], ...] = (
    (BaseClient, "_make_request"),
    (ParamValidator, "_validate_map"),
    (EndpointRulesetResolver, "construct_endpoint"),
    (JSONParser, "_handle_json_body"),
    (JSONSerializer, "_serialize_type_structure"),
    (URLLib3Session, "send"),
)
"""The class and the name of each function. Those of `install`, which also serve other hosts, are not listed."""


def functions() -> list[Callable[..., Any]]:
    """The functions in use now, in the order of `REPLACED`."""
    return [getattr(owner, name) for owner, name in REPLACED]
