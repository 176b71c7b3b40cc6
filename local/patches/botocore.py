"""Changes to botocore that make it faster and do not change what it does.

botocore computes for each session, client or request what depends on its arguments alone:

* the JSON model of a service: 20 to 60 ms for DynamoDB or S3, for each session;
* the name of an event under which its handlers are registered, anew for each client;
* the user agent's parts, letter by letter.
"""

from functools import cache, lru_cache
from typing import Any

import botocore.session
from botocore import useragent
from botocore.hooks import EVENT_ALIASES, EventAliaser
from botocore.loaders import create_loader

from local.patches.patching import replace

_init = EventAliaser.__init__
_names: dict[str, str] = {}


def install() -> None:
    """Applies every change to the botocore of this process; calling it again changes nothing."""
    if botocore.session.create_loader is not create_loader:
        return
    replace(botocore.session, "create_loader", cache(create_loader))
    replace(EventAliaser, "__init__", _share_names)
    component = "sanitize_user_agent_string_component"
    replace(useragent, component, lru_cache(maxsize=1024)(getattr(useragent, component)))


def _share_names(
    aliaser: EventAliaser, event_emitter: Any, event_aliases: dict[str, str] | None = None
) -> None:
    _init(aliaser, event_emitter, event_aliases)
    if aliaser._event_aliases == EVENT_ALIASES:
        aliaser._alias_name_cache = _names
