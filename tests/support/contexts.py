"""Contexts of functions for tests."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from lambdas.common.function.context import Context
from lambdas.lookup_identities.context import LookupContext

C = TypeVar("C", bound=Context)


def refreshed(context: C) -> C:
    """The context, or one with the environment variables of now where they differ from its settings."""
    settings = type(context.settings).from_environment()
    return context if settings == context.settings else replace(context, settings=settings)


class FunctionSandbox(Generic[C]):
    """Holds the context of one Lambda sandbox. Changed environment variables start a new sandbox."""

    def __init__(self, make: Callable[[], C]) -> None:
        self._make = make
        self._context: C | None = None

    @property
    def context(self) -> C:
        """The context of the sandbox that runs now."""
        made = self._make()
        if self._context is None or self._context.settings != made.settings:
            self.end()
            self._context = made
        return self._context

    def end(self) -> None:
        """Ends the sandbox and closes its connections to an MPI."""
        if isinstance(self._context, LookupContext):
            self._context.close()
        self._context = None


class StubSecretsManager:
    """Secrets Manager with one secret, a JSON object, under every name."""

    def __init__(self) -> None:
        self.secret: dict[str, str] = {}

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """The secret's text, as boto3 answers."""
        return {"SecretString": json.dumps(self.secret)}
