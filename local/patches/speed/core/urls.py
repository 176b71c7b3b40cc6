"""Compute the URLs that a backend serves once, and not for each request.

In a process whose calls moto answers without a server, it formats and compiles every URL pattern of a
service for each request (the source says: "cache this part"). They depend on the backend's class alone.
"""

from collections.abc import Callable
from typing import Any

from moto.core.base_backend import BaseBackend

from local.patches.patching import replace

Urls = dict[str, Callable[..., Any]]

_urls: Any = BaseBackend.__dict__["urls"]
_by_class: dict[type[BaseBackend], Urls] = {}


def install() -> None:
    """Caches the URLs of this process's moto; calling it again changes nothing."""
    if BaseBackend.__dict__["urls"] is _urls:
        replace(BaseBackend, "urls", property(_cached))


def _cached(backend: BaseBackend) -> Urls:
    urls = _by_class.get(type(backend))
    if urls is None:
        urls = _by_class[type(backend)] = _urls.fget(backend)
    return urls
