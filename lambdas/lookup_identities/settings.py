"""What this step reads from its environment beyond what all steps do."""

import json
import os
from functools import cache
from typing import Any

from lambdas.common.aws.clients import client, dependency
from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required


@cache
def registry_table() -> str:
    """The name of the registry's table."""
    return required("ENS_REGISTRY_TABLE")


@cache
def mpi_cache_table() -> str:
    """The name of the table that keeps what an index outside answered."""
    return required("ENS_MPI_CACHE_TABLE")


@cache
def mpi_client_name() -> str:
    """Who answers for patients: `registry` (also when nothing is said), `pixpdq` or `fhir`."""
    return os.environ.get("ENS_MPI_CLIENT") or "registry"


@cache
def provider_directory_name() -> str:
    """Who answers for providers: `registry` (also when nothing is said) or `fhir`."""
    return os.environ.get("ENS_PROVIDER_DIRECTORY") or "registry"


@cache
def mpi_settings() -> dict[str, Any]:
    """Where the index is and how it is spoken to: the JSON object in `ENS_MPI_SETTINGS`.

    Raises `ConfigurationError` when it is missing or not an object.
    """
    return _object(required("ENS_MPI_SETTINGS"), "ENS_MPI_SETTINGS")


@cache
def mpi_secret() -> dict[str, Any]:
    """Keys and certificates for the index, from Secrets Manager; empty where `ENS_MPI_SECRET` names none.

    Members, all optional, all PEM or text: `ca`, `certificate`, `key` (TLS), `client_id`,
    `private_key`, `key_id` (OAuth2).
    """
    secret_id = os.environ.get("ENS_MPI_SECRET")
    if not secret_id:
        return {}
    with dependency("secretsmanager"):
        answer = client("secretsmanager").get_secret_value(SecretId=secret_id)
    return _object(answer["SecretString"], "the secret of ENS_MPI_SECRET")


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{what} is not a JSON object")
    return document
