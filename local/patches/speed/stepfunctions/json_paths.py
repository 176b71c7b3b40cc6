"""Parse a JSONPath once, and not for each use: its parser builds its grammar's tables anew each time."""

from functools import lru_cache
from types import ModuleType

from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

from local.patches.patching import replace

# Each uses a dialect of its own: jsonpath_ng.ext, and jsonpath_ng.
_MODULES: tuple[ModuleType, ...] = (json_path, result_path)


def install() -> None:
    """Caches the paths of this process's moto; calling it again changes nothing."""
    for module in _MODULES:
        if not hasattr(module.parse, "cache_info"):
            replace(module, "parse", lru_cache(maxsize=1024)(module.parse))
