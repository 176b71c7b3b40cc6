"""Settings of a function: a frozen dataclass, read from the environment variables once.

A step with further settings has a subclass in its own `context.py`. No other module of a step reads
environment variables (tests/unit/test_contexts.py).
"""

import os
from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from typing import Any, Self

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError

NAMESPACE = "hl7-ens"
"""The namespace of every CloudWatch metric of this project."""


def required(name: str) -> str:
    """The value of an environment variable; `DependencyUnavailableError` names it when it is missing or empty.

    CloudFormation updates a function's variables before its code, so that the old code runs without those
    that the new version has renamed (aws/aws-cdk pull request 33587). Its messages are tried again.
    """
    value = os.environ.get(name, "")
    if not value:
        raise DependencyUnavailableError(f"{name} is not set")
    return value


def text(name: str, default: str = "") -> str:
    """The value of an environment variable, or `default` when it is missing or empty."""
    return os.environ.get(name) or default


def choice(name: str, values: Collection[str], default: str = "") -> str:
    """The value of a variable that takes one of `values`, or `default`; required without a default.

    Raises `ConfigurationError` with the name and the possible values, and errors as `required`.
    """
    found = text(name, default) or required(name)
    if found not in values:
        raise ConfigurationError(f"{name} is none of {', '.join(values)}")
    return found


def number(name: str, default: float) -> float:
    """The number in an environment variable, or `default`. Raises `ConfigurationError` for another text."""
    try:
        found = float(text(name) or default)
    except ValueError:
        raise ConfigurationError(f"{name} is not a number") from None
    if found < 0:
        raise ConfigurationError(f"{name} is negative")
    return found


def whole(name: str, default: int) -> int:
    """The whole number in an environment variable, or `default`; errors as `number`."""
    return int(number(name, default))


def full_in_clear() -> bool:
    """Whether ENS_FULL_IN_CLEAR allows full detail in a mail without encryption."""
    return choice("ENS_FULL_IN_CLEAR", ("allowed", "forbidden"), "allowed") == "allowed"


def setting(read: Callable[..., Any], *arguments: Any, default: Any = MISSING) -> Any:
    """A field of settings that `from_environment` reads by `read(*arguments)`.

    The arguments are the name of an environment variable, and the default where `read` takes one. Code that
    makes the settings itself may leave out a field with a default.
    """
    if len(arguments) > 1:
        default = arguments[1]
    return field(default=default, metadata={"read": partial(read, *arguments)})


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings whose fields are made by `setting`."""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; errors as `required`, `choice` and `number`."""
        return cls(**{one.name: one.metadata["read"]() for one in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDays(ReadSettings):
    """Days for which the items of each table are kept (`[retention]` of the environment's file).

    `audit` is six years by default (45 CFR 164.316(b)(2)(i)).
    """

    audit: int = setting(whole, "ENS_AUDIT_DAYS", 2192)
    encounters: int = setting(whole, "ENS_ENCOUNTERS_DAYS", 400)
    ledger: int = setting(whole, "ENS_LEDGER_DAYS", 400)
    status: int = setting(whole, "ENS_STATUS_DAYS", 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ReadSettings):
    """Names of the tables, bucket, secrets and keys that every step uses.

    `audit_seal_key` is the KMS key that seals audit chains, "" for a function that appends nothing.
    `audit_seal_keys` are those that may have sealed one, with commas, for a function that verifies.
    `configuration_bucket`, `configuration_key` and `configuration_version` name the configuration
    document; they are "" for a function that does not read it.
    """

    environment: str = setting(required, "ENS_ENVIRONMENT")
    vault_bucket: str = setting(required, "ENS_VAULT_BUCKET")
    audit_table: str = setting(required, "ENS_AUDIT_TABLE")
    status_table: str = setting(required, "ENS_STATUS_TABLE")
    reference_key_secret: str = setting(required, "ENS_REFERENCE_KEY_SECRET")
    audit_key_secret: str = setting(required, "ENS_AUDIT_KEY_SECRET")
    audit_seal_key: str = setting(text, "ENS_AUDIT_SEAL_KEY", "")
    audit_seal_keys: str = setting(text, "ENS_AUDIT_SEAL_KEYS", "")
    configuration_bucket: str = setting(text, "ENS_CONFIGURATION_BUCKET", "")
    configuration_key: str = setting(text, "ENS_CONFIGURATION_KEY", "")
    configuration_version: str = setting(text, "ENS_CONFIGURATION_VERSION", "")
    stored_days: StoredDays = setting(StoredDays.from_environment, default=StoredDays())

    @property
    def seal_keys(self) -> tuple[str, ...]:
        """The KMS keys that may have sealed an audit chain."""
        return tuple(filter(None, (self.audit_seal_keys or self.audit_seal_key).split(",")))
