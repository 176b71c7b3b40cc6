"""Reads the environment's configuration document, which its deployment wrote to S3."""

import json
from typing import Any

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import Settings

VERSION = 1
"""The format that this code reads (`environments.Environment.configuration`)."""

SenderEntry = dict[str, Any]
"""A sender as the document has it: JSON that `environments` wrote and checked."""


def read_senders(s3: Any, settings: Settings) -> dict[str, SenderEntry]:
    """Returns the document's senders by name.

    Raises `ConfigurationError` for a missing setting or a document of another format,
    `DependencyUnavailableError` when S3 does not answer.
    """
    place = {
        "Bucket": settings.configuration_bucket,
        "Key": settings.configuration_key,
        "VersionId": settings.configuration_version,
    }
    if not all(place.values()):
        raise ConfigurationError("ENS_CONFIGURATION_BUCKET, _KEY or _VERSION is not set")
    with dependency("s3"):
        body = s3.get_object(**place)["Body"].read()
    try:
        document = json.loads(body)
        if document["version"] != VERSION:
            raise ConfigurationError(f"configuration: its version is not {VERSION}")
        return {entry["name"]: entry for entry in document["senders"]}
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError("configuration: not a document with senders") from None
