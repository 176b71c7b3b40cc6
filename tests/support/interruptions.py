"""Another event, or the death of the sandbox, right before or right after one call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


class Death(BaseException):
    """The sandbox dies: nothing after this line runs, no handler sees it."""


def dying(real: Callable[..., Any], moment: str) -> Callable[..., Any]:
    """`real`, in a sandbox that dies right before or right after it."""

    def act(*arguments: Any, **named: Any) -> Any:
        if moment == "after":
            real(*arguments, **named)
        raise Death

    return act


@dataclass(frozen=True, slots=True)
class CallPoint:
    """The moment (`before` or `after`) of the first call of a module's function."""

    module: Any
    name: str
    moment: str

    def lets(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
        """Lets something happen at this moment, once."""
        real = getattr(self.module, self.name)

        def call(*arguments: Any, **named: Any) -> Any:
            monkeypatch.setattr(self.module, self.name, real)
            if self.moment == "before":
                act()
            answer = real(*arguments, **named)
            if self.moment == "after":
                act()
            return answer

        monkeypatch.setattr(self.module, self.name, call)

    def kills(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lets the sandbox die at this moment of each call."""
        real = getattr(self.module, self.name)
        monkeypatch.setattr(self.module, self.name, dying(real, self.moment))


def each_point(*calls: tuple[Any, str]) -> pytest.MarkDecorator:
    """Runs a test once for each moment of each call, as its argument `point`."""
    return pytest.mark.parametrize(
        "point",
        [
            CallPoint(module, name, moment)
            for module, name in calls
            for moment in ("before", "after")
        ],
        ids=lambda point: f"{point.name}-{point.moment}",
    )
