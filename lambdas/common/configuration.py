"""Reads the environment's configuration document, which its deployment wrote to S3."""

import json
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.settings import Settings

VERSION = 1
"""The format that this code reads (`environments.Environment.configuration`)."""

SenderEntry = dict[str, Any]
"""A sender as the document has it: JSON that `environments` wrote and checked."""

PolicyEntry = dict[str, Any]
"""A policy as the document has it (`lambdas.policy.rules.policies` reads it)."""


@dataclass(frozen=True, slots=True)
class DeployedConfiguration:
    """The document's senders by name, and its policies in the environment's order."""

    senders: dict[str, SenderEntry]
    policies: tuple[PolicyEntry, ...] = ()


def read_configuration(s3: Any, settings: Settings) -> DeployedConfiguration:
    """Returns the document.

    Raises `DependencyUnavailableError` when S3 does not answer, and for a missing setting or a document of
    another format, which code of another version may see for a moment (`settings.required`).
    """
    place = {
        "Bucket": settings.configuration_bucket,
        "Key": settings.configuration_key,
        "VersionId": settings.configuration_version,
    }
    if not all(place.values()):
        raise DependencyUnavailableError("ENS_CONFIGURATION_BUCKET, _KEY or _VERSION is not set")
    with dependency("s3"):
        body = s3.get_object(**place)["Body"].read()
    try:
        document = json.loads(body)
        if document["version"] != VERSION:
            raise DependencyUnavailableError(f"configuration: its version is not {VERSION}")
        return DeployedConfiguration(
            senders={entry["name"]: entry for entry in document["senders"]},
            policies=tuple(document.get("policies", ())),
        )
    except (ValueError, KeyError, TypeError):
        raise DependencyUnavailableError("configuration: not a document with senders") from None
