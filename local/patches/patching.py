"""Replaces parts of moto in one way, so that every such place can be found."""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any


def replace(
    owner: type | ModuleType, name: str, function: Callable[..., Any] | property | SimpleNamespace
) -> Callable[..., Any]:
    """Puts `function` in place of what a class or module has under that name; returns what it replaces.

    Raises `AttributeError` when there is none: a moto that moved it must fail here, not quietly.
    """
    replaced: Callable[..., Any] = getattr(owner, name)
    setattr(owner, name, function)
    return replaced


def add(owner: type, name: str, function: Callable[..., Any] | property) -> None:
    """Gives a class of moto's a method or property that it lacks. Raises `AttributeError` when it has one."""
    if hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} has a {name} of its own by now")
    setattr(owner, name, function)
