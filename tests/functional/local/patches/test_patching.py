"""A change to a library fails at once when a release has moved the function that it changes."""

from types import SimpleNamespace

import pytest

from local.patches.patching import add, replace


class ClassOfMoto:
    """Stands for a class of moto."""

    def receive(self) -> str:
        return "moto's"


def test_a_method_that_was_renamed_is_an_error() -> None:
    with pytest.raises(AttributeError, match="receive_message"):
        replace(ClassOfMoto, "receive_message", lambda self: "ours")


def test_a_method_that_moto_has_by_now_is_not_added_again() -> None:
    with pytest.raises(AttributeError, match="receive"):
        add(ClassOfMoto, "receive", lambda self: "ours")


def test_the_replaced_function_is_returned_so_that_the_change_can_call_it() -> None:
    owner = type("Owner", (), {"answer": lambda self: "moto's"})
    replaced = replace(owner, "answer", lambda self: "ours")
    assert (replaced(SimpleNamespace()), owner().answer()) == ("moto's", "ours")
