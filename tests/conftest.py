"""Fixtures that every kind of test may use."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from hypothesis import settings
from moto import mock_aws

from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from local.patches import speed
from local.patches.additions import execution_ends, ses_account
from tests.support import botocore_changes, configuration, stores, unsigned
from tests.support.stores import REGION, VAULT

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "1",
    "ENS_ENVIRONMENT": "test",
    "ENS_VAULT_BUCKET": VAULT,
    "ENS_AUDIT_TABLE": "audit",
    "ENS_STATUS_TABLE": "status",
    "ENS_LEDGER_TABLE": "ledger",
    "ENS_REGISTRY_TABLE": "registry",
    "ENS_ENCOUNTERS_TABLE": "encounters",
    "ENS_MPI_CACHE_TABLE": "mpi-cache",
    "ENS_REFERENCE_KEY_SECRET": "reference-key",
    "ENS_AUDIT_KEY_SECRET": "audit-key",
    "ENS_AUDIT_SEAL_KEY": "alias/audit-seal",
    "ENS_AUDIT_DIGEST_BUCKET": "audit-digests",
    "ENS_SES_CONFIGURATION_SET": "ens-test",
    "ENS_SES_FROM": "notifications@ens.example",
    "ENS_COST_MODE": "full",
}

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"

# The suite tries the same examples at each run, so its verdict belongs to the tree, and takes what time a
# slow machine needs. `make explore` tries new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, print_blob=True, deadline=None)
settings.load_profile(os.environ.get("ENS_EXAMPLES", "same"))

TOGETHER = ("e2e", "infra")
"""The folders whose tests one worker runs: they share the local system, and the process of the CDK."""

LONGEST = (
    *TOGETHER,
    *("test_roles", "test_handler", "test_crashes", "test_whole", "test_damaged_answers"),
    *("test_workers", "test_sequences", "test_exhaustion", "test_corpus", "test_burst"),
)
"""The groups that a worker takes first, so that no long one is left when the other worker is done."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps on one worker the tests of a file or of a folder of `TOGETHER`, longest first; marks slow ones."""
    for item in items:
        group = group_of(item)
        item.add_marker(pytest.mark.xdist_group(group))
        if group == "e2e":
            item.add_marker(pytest.mark.slow)
    places = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(group_of(item), len(LONGEST)))


def group_of(item: pytest.Item) -> str:
    """The tests that one worker runs: those of a file, or of a folder of `TOGETHER`."""
    kind = item.path.relative_to(ROOT / "tests").parts[0]
    return kind if kind in TOGETHER else item.path.stem


def pytest_configure() -> None:
    """Makes the AWS of this process quick: no test is about what moto or botocore computes again."""
    speed.install()
    execution_ends.install()
    ses_account.install()
    unsigned.install()


def pytest_collection_finish() -> None:
    """Takes all that was imported out of the garbage collector's sight: it would be traversed again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def unchanged_environment() -> Iterator[None]:
    """Fails a test that leaves environment variables changed: a later test would depend on the order."""
    before = variables()
    yield
    after = variables()
    if after != before:
        os.environ.clear()
        os.environ.update(before)
        changed = {name for name, _ in before.items() ^ after.items()}
        pytest.fail(f"the test left environment variables changed: {', '.join(sorted(changed))}")


@pytest.fixture(autouse=True)
def unchanged_botocore() -> Iterator[None]:
    """Fails a test that leaves botocore's requests changed: later tests prove functions with botocore's own."""
    before = botocore_changes.functions()
    yield
    assert botocore_changes.functions() == before, "the test left botocore changed"


def variables() -> dict[str, str]:
    """The environment variables, without those that pytest and the import of `infra` set."""
    own = ("PYTEST_", "JSII_SILENCE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables of a function, set; nothing of the developer's AWS account left."""
    bind_environment(monkeypatch)
    return dict(ENVIRONMENT)


def bind_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the environment variables of a function, and removes those of the developer's account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto with the stores of one environment and its configuration; yields `boto3`."""
    with mocked_aws(monkeypatch):
        yield boto3


@contextmanager
def mocked_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto with the vault, tables, secrets, configuration and SES identity of one environment."""
    speed.install()
    execution_ends.install()
    ses_account.install()
    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
        patch.object(boto3, "client", shared_client),
    ):
        configuration.bind(stores.set_up(), monkeypatch)
        yield


_clients: dict[Any, Any] = {}
_new_client = boto3.client


SHARED = frozenset({"dynamodb", "kms", "s3", "secretsmanager", "sesv2"})
"""Services whose clients with a configuration of their own are shared too: each function makes them."""


def shared_client(service_name: str, region_name: str = "", **settings: Any) -> Any:
    """boto3's client, made once for each service, region and credentials: making one takes long.

    One with a configuration of its own is shared for the services of `SHARED`, until a test hooks into
    it: such a client is for that test alone. Any other client is made anew, since it may count retries.
    """
    region_name = region_name or os.environ.get("AWS_DEFAULT_REGION", REGION)
    configuration = settings.get("config")
    if settings and (set(settings) != {"config"} or service_name not in SHARED):
        return _new_client(service_name, region_name=region_name, **settings)
    session = boto3.DEFAULT_SESSION
    credentials = session.get_credentials() if session else None
    variables = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("AWS_")))
    access_key = credentials and credentials.access_key
    key = service_name, region_name, configuration, variables, access_key
    if key not in _clients:
        _clients[key] = _new_client(service_name, region_name=region_name, **settings)
        if configuration:
            _forget_once_hooked(key)
    return _clients[key]


def _forget_once_hooked(key: Any) -> None:
    """Lets the first hook that is registered with a client end its sharing."""
    events = _clients[key].meta.events

    def forgetting(register: Callable[..., None]) -> Callable[..., None]:
        def forget_and_register(*arguments: Any, **named: Any) -> None:
            if arguments[0] != "response-received":  # that of `Clients`
                _clients.pop(key, None)
            register(*arguments, **named)

        return forget_and_register

    for name in ("register", "register_first", "register_last"):
        setattr(events, name, forgetting(getattr(events, name)))


@pytest.fixture
def context(aws: Any) -> LedgerContext:
    """The context of a function with the settings of `environment` and moto's clients."""
    return LedgerContext(LedgerSettings.from_environment())
