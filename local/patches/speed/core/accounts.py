"""Find the backend of an account without a lock and without comparing it with all others.

moto compares a service's backends with those of all services, in Python, each time that one is asked for.
"""

from typing import Any

from moto.core.base_backend import AccountSpecificBackend, BackendDict

from local.patches.patching import replace

_getitem = BackendDict.__getitem__
_PLACE = "place_in_list"
_instances: list[Any] = vars(BackendDict)["_instances"]


def install() -> None:
    """Changes the backends of this process's moto; calling it again changes nothing."""
    replace(BackendDict, "__getitem__", _found)


def _found(backends: "BackendDict[Any]", account_id: str) -> "AccountSpecificBackend[Any]":
    """The account's backends, which moto makes at the first use and after a reset."""
    found = backends.get(account_id)
    # The reset of one service may fill the dictionary of another, which is then not in the list. moto's
    # own method lists it again, so that the next reset empties it.
    if found is None or not _is_listed(backends):
        return _getitem(backends, account_id)
    return found


def _is_listed(backends: "BackendDict[Any]") -> bool:
    """Whether moto's list has them, at the place where they were found the last time or elsewhere."""
    place: int = vars(backends).get(_PLACE, 0)
    if place < len(_instances) and _instances[place] is backends:
        return True
    for place, each in enumerate(_instances):
        if each is backends:
            setattr(backends, _PLACE, place)
            return True
    return False
