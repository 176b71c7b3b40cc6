"""The stores of one environment in moto: made by AWS's API once in a process, and copied for each test."""

import io
import json
import pickle
from functools import cache
from typing import Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.kms.utils import AbstractPrivateKey
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends

from environments import load
from tests.support import configuration, seal_keys
from tests.support.tables import create_tables

REGION = "us-east-1"
VAULT = "vault"


def set_up() -> str:
    """Puts the stores into a moto that holds nothing; returns the version of the configuration document."""
    content, version = _made()
    for owner, members in zip(_owners(), _Unpickler(io.BytesIO(content)).load(), strict=True):
        for name, value in members.items():
            getattr(owner, name).update(value)
    return version


@cache
def _made() -> tuple[bytes, str]:
    """The stores' content as moto holds it, pickled, and the version of the configuration document."""
    version = _create()
    pickled = io.BytesIO()
    _Pickler(pickled, pickle.HIGHEST_PROTOCOL).dump(
        [
            {name: getattr(owner, name) for name in names}
            for owner, names in zip(_owners(), MEMBERS, strict=True)
        ]
    )
    for owner, names in zip(_owners(), MEMBERS, strict=True):
        for name in names:
            getattr(owner, name).clear()
    return pickled.getvalue(), version


MEMBERS = (
    ("buckets",),
    ("bucket_accounts",),
    ("tables",),
    ("keys",),
    ("secrets",),
    ("config_sets", "email_identities"),
)
"""The dictionaries of moto's backends that hold the stores, in the order of `_owners`."""


def _owners() -> tuple[Any, ...]:
    return (
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"],
        s3_backends,
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION],
        kms_backends[DEFAULT_ACCOUNT_ID][REGION],
        secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION],
        ses_backends[DEFAULT_ACCOUNT_ID][REGION],
    )


def _create() -> str:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=VAULT)
    s3.put_bucket_versioning(Bucket=VAULT, VersioningConfiguration={"Status": "Enabled"})
    configuration.create_bucket()
    version = configuration.put(load("local").configuration())
    create_tables(boto3.client("dynamodb"))
    seal_keys.create()
    secrets = boto3.client("secretsmanager")
    for name in ("reference-key", "audit-key"):
        secrets.create_secret(
            Name=name, SecretString=json.dumps({"current": "k1", "k1": f"secret of {name}"})
        )
    ses = boto3.client("sesv2")
    ses.create_email_identity(EmailIdentity="ens.example")
    ses.create_configuration_set(ConfigurationSetName="ens-test")
    return version


class _Pickler(pickle.Pickler):
    """Leaves private keys where they are: they cannot be pickled, and an HMAC key does not use its own."""

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, AbstractPrivateKey):
            return None
        _private_keys[id(value)] = value
        return id(value)


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, reference: int) -> AbstractPrivateKey:
        return _private_keys[reference]


_private_keys: dict[int, AbstractPrivateKey] = {}
