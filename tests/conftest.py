"""Fixtures that every kind of test may use."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from environments import load
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.settings import LedgerSettings
from local import ses_account
from tests.support import configuration
from tests.support.tables import create_tables

REGION = "us-east-1"
VAULT = "vault"

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
    "ENS_LOOKUPS_TABLE": "lookups",
    "ENS_REFERENCE_KEY_SECRET": "reference-key",
    "ENS_AUDIT_KEY_SECRET": "audit-key",
    "ENS_SES_CONFIGURATION_SET": "ens-test",
    "ENS_SES_FROM": "notifications@ens.example",
    "ENS_COST_MODE": "full",
}

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps on one worker the tests of a file, and all that share the local system."""
    for item in items:
        kind = Path(item.path).relative_to(ROOT / "tests").parts[0]
        group = kind if kind == "e2e" else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment variables of a function, set; nothing of the developer's AWS account left."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return dict(ENVIRONMENT)


def one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, with whoever comes meanwhile waiting."""
    turn = threading.Lock()

    def waiting(*arguments: Any, **named: Any) -> Any:
        with turn:
            return call(*arguments, **named)

    return waiting


@pytest.fixture
def aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto with the stores of one environment and its configuration; yields `boto3`."""
    with mocked_aws(monkeypatch):
        yield boto3


@contextmanager
def mocked_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto with the vault, tables, secrets, configuration and SES identity of one environment."""
    # moto undoes a failed transaction by putting whole tables back, and with them what others wrote
    # meanwhile: DynamoDB's own requests are atomic, so here they take turns.
    ses_account.install()
    in_turn = one_at_a_time(DynamoHandler.call_action)
    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
        patch.object(DynamoHandler, "call_action", in_turn),
    ):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=VAULT)
        s3.put_bucket_versioning(Bucket=VAULT, VersioningConfiguration={"Status": "Enabled"})
        configuration.create_bucket()
        configuration.deploy(load("local").configuration(), monkeypatch)
        create_tables(boto3.client("dynamodb"))
        secrets = boto3.client("secretsmanager")
        for name in ("reference-key", "audit-key"):
            secrets.create_secret(
                Name=name, SecretString=json.dumps({"current": "k1", "k1": f"secret of {name}"})
            )
        ses = boto3.client("sesv2")
        ses.create_email_identity(EmailIdentity="ens.example")
        ses.create_configuration_set(ConfigurationSetName="ens-test")
        yield


@pytest.fixture
def context(aws: Any) -> LedgerContext:
    """The context of a function with the settings of `environment` and moto's clients."""
    return LedgerContext(LedgerSettings.from_environment())
