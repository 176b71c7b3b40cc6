"""Settings that all steps read from environment variables, once, at the first invocation."""

import os
from dataclasses import dataclass
from functools import cache

from lambdas.common.errors import ConfigurationError


def required(name: str) -> str:
    """The value of an environment variable; `ConfigurationError` names it when it is missing or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set")
    return value


def number(name: str, default: float) -> float:
    """The number in an environment variable, or `default`. Raises `ConfigurationError` for another text."""
    try:
        found = float(os.environ.get(name) or default)
    except ValueError:
        raise ConfigurationError(f"{name} is not a number") from None
    if found < 0:
        raise ConfigurationError(f"{name} is negative")
    return found


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of the tables, bucket and secrets that every step uses."""

    environment: str
    vault_bucket: str
    audit_table: str
    status_table: str
    reference_key_secret: str
    audit_key_secret: str


@cache
def settings() -> Settings:
    """The settings of all steps. Raises `ConfigurationError` with the first missing name."""
    return Settings(
        environment=required("ENS_ENVIRONMENT"),
        vault_bucket=required("ENS_VAULT_BUCKET"),
        audit_table=required("ENS_AUDIT_TABLE"),
        status_table=required("ENS_STATUS_TABLE"),
        reference_key_secret=required("ENS_REFERENCE_KEY_SECRET"),
        audit_key_secret=required("ENS_AUDIT_KEY_SECRET"),
    )
