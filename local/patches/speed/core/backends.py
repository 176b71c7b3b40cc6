"""Cache which backend serves a host.

moto lists its own folder and matches about 200 patterns for each request, one request at a time. The
answer depends on the host's name alone.
"""

from functools import lru_cache

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from local.patches.patching import replace

_backend_for_host = DomainDispatcherApplication.get_backend_for_host
_hosts = lru_cache(maxsize=256)(_backend_for_host)


def install() -> None:
    """Caches the backends of this process's moto; calling it again changes nothing."""
    replace(DomainDispatcherApplication, "get_backend_for_host", _hosts)
