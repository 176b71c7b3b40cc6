"""The configuration document in moto's S3, as a deployment writes it."""

import boto3
import pytest

BUCKET, KEY = "configuration", "configuration.json"


def create_bucket() -> None:
    """Creates the versioned bucket of the document."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def deploy(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes the document, and tells the functions its version."""
    version = boto3.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=document.encode())
    monkeypatch.setenv("ENS_CONFIGURATION_BUCKET", BUCKET)
    monkeypatch.setenv("ENS_CONFIGURATION_KEY", KEY)
    monkeypatch.setenv("ENS_CONFIGURATION_VERSION", version["VersionId"])
