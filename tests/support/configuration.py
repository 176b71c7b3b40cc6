"""The configuration document in moto's S3, as a deployment writes it."""

import json
from typing import Any

import boto3
import pytest

from environments import load

BUCKET, KEY = "configuration", "configuration.json"


def document(*senders: dict[str, Any]) -> str:
    """A document with these senders and the local system's policies."""
    policies = json.loads(load("local").configuration())["policies"]
    return json.dumps({"version": 1, "senders": senders, "policies": policies})


def create_bucket() -> None:
    """Creates the versioned bucket of the document."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def put(document: str) -> str:
    """Writes the document and returns its version."""
    answer = boto3.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=document.encode())
    version: str = answer["VersionId"]
    return version


def bind(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tells the functions the version of the document."""
    monkeypatch.setenv("ENS_CONFIGURATION_BUCKET", BUCKET)
    monkeypatch.setenv("ENS_CONFIGURATION_KEY", KEY)
    monkeypatch.setenv("ENS_CONFIGURATION_VERSION", version)


def deploy(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes the document, and tells the functions its version."""
    bind(put(document), monkeypatch)
