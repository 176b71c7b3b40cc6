"""Build the table of a service's errors once, and not for each error that is answered.

moto has a cache for the tables, in an object that it makes anew for each error. A condition that
fails is an ordinary answer of DynamoDB, and cost 10 ms.
"""

from moto.core.errors import ErrorLookup, ErrorLookupFactory

from local.patches.patching import replace

_tables: dict[str, ErrorLookup] = {}


def install() -> None:
    """Shares the tables in this process's moto; calling it again changes nothing."""
    replace(ErrorLookupFactory, "__init__", _share)


def _share(factory: ErrorLookupFactory) -> None:
    factory._error_lut_cache = _tables
