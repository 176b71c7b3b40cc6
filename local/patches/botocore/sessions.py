"""Share between sessions and clients what depends on its arguments alone.

* the JSON model of a service: botocore reads it for each session, 20 to 60 ms for DynamoDB or S3;
* the name of an event under which its handlers are registered: botocore computes it for each client.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.hooks import EVENT_ALIASES, EventAliaser
from botocore.loaders import create_loader

from local.patches.patching import replace

_init = EventAliaser.__init__
_names: dict[str, str] = {}


def install() -> None:
    """Changes the sessions of this process's botocore; calling it again changes nothing."""
    if botocore.session.create_loader is create_loader:
        replace(botocore.session, "create_loader", cache(create_loader))
        replace(EventAliaser, "__init__", _share_names)


def _share_names(
    aliaser: EventAliaser, event_emitter: Any, event_aliases: dict[str, str] | None = None
) -> None:
    _init(aliaser, event_emitter, event_aliases)
    if aliaser._event_aliases == EVENT_ALIASES:
        aliaser._alias_name_cache = _names
