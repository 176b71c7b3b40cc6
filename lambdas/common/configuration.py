"""Reads the environment's configuration document, which its deployment wrote to S3."""

import json
from functools import cache
from typing import Any

from lambdas.common.aws.clients import client, dependency
from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required

VERSION = 1
"""The format that this code reads (`environments.Environment.configuration`)."""


@cache
def senders() -> dict[str, dict[str, Any]]:
    """Returns the document's senders by name. It is read once per sandbox.

    Raises `ConfigurationError` for a document of another format, `DependencyUnavailableError` when S3
    does not answer.
    """
    with dependency("s3"):
        answer = client("s3").get_object(
            Bucket=required("ENS_CONFIGURATION_BUCKET"),
            Key=required("ENS_CONFIGURATION_KEY"),
            VersionId=required("ENS_CONFIGURATION_VERSION"),
        )
        body = answer["Body"].read()
    try:
        document = json.loads(body)
        if document["version"] != VERSION:
            raise ConfigurationError(f"configuration: its version is not {VERSION}")
        return {entry["name"]: entry for entry in document["senders"]}
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError("configuration: not a document with senders") from None
