"""Changes to the part of moto that every service uses; `install` applies all of them."""

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from moto.core import models, responses
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend
from moto.core.custom_responses_mock import CallbackResponse
from moto.core.errors import ErrorLookup, ErrorLookupFactory
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sqs import models as sqs

from local.patches.patching import replace

Urls = dict[str, Callable[..., Any]]

_getitem = BackendDict.__getitem__
_PLACE = "place_in_list"
_instances: list[Any] = vars(BackendDict)["_instances"]
_hosts = lru_cache(maxsize=256)(DomainDispatcherApplication.get_backend_for_host)
_tables: dict[str, ErrorLookup] = {}
_callbacks = lru_cache(maxsize=None)(CallbackResponse)
_names = lru_cache(1024)(method_names_from_class)
_in_snake_case = lru_cache(4096)(camelcase_to_underscores)
_urls: Any = BaseBackend.__dict__["urls"]
_by_class: dict[type[BaseBackend], Urls] = {}


def install() -> None:
    """Changes this process's moto; calling it again changes nothing."""
    replace(BackendDict, "__getitem__", _backends_of)
    # moto lists its own folder and matches about 200 patterns for each request, one request at a time.
    # The answer depends on the host's name alone.
    replace(DomainDispatcherApplication, "get_backend_for_host", _hosts)
    replace(ErrorLookupFactory, "__init__", _share_tables)
    # moto inspects all members of a service's class for each request. SQS spells out the names of a queue's
    # attributes for each message.
    replace(responses, "method_names_from_class", _names)
    replace(responses, "camelcase_to_underscores", _in_snake_case)
    replace(sqs, "camelcase_to_underscores", _in_snake_case)
    # `mock_aws` registers a callback for each of seven HTTP methods and 185 URL patterns, each time that
    # moto starts. The entries hold no state that a test sees.
    replace(models, "CallbackResponse", _callbacks)
    replace(responses, "gen_amzn_requestid_long", _add_request_id)
    replace(BaseBackend, "urls", property(_urls_of))


def _backends_of(backends: "BackendDict[Any]", account_id: str) -> "AccountSpecificBackend[Any]":
    """The account's backends, which moto makes at the first use and after a reset.

    moto compares a service's backends with those of all services, under a lock, each time that one is asked
    for.
    """
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


def _share_tables(factory: ErrorLookupFactory) -> None:
    """Shares the tables of the services' errors, which moto builds anew for each error: 10 ms."""
    factory._error_lut_cache = _tables


def request_id() -> str:
    """52 characters, as many as those of DynamoDB, SQS and KMS have. moto draws each: a tenth of a short call."""
    return os.urandom(26).hex().upper()


def _add_request_id(headers: dict[str, Any] | None = None) -> str:
    """A new id, which is put into the headers too."""
    new = request_id()
    if headers is not None:
        headers["x-amzn-requestid"] = new
    return new


def _urls_of(backend: BaseBackend) -> Urls:
    """The URLs that a backend serves, which depend on its class alone.

    In a process whose calls moto answers without a server, it formats and compiles every URL pattern of a
    service for each request (the source says: "cache this part").
    """
    urls = _by_class.get(type(backend))
    if urls is None:
        urls = _by_class[type(backend)] = _urls.fget(backend)
    return urls
