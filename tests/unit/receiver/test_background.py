"""An endless task of the receiver outlives its errors and ends when it is cancelled."""

import asyncio
import io
import json
from collections.abc import Callable, Coroutine

import pytest

from receiver import background
from receiver.background import in_background
from receiver.telemetry.log import Log


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The log's output; a task begins again at once."""
    monkeypatch.setattr(background, "_RESTART_SECONDS", 0.0)
    return io.StringIO()


def run(forever: Callable[[], Coroutine[None, None, None]], output: io.StringIO) -> int:
    """Runs the task to its end, and returns how many failures were counted."""
    counted: list[str] = []

    async def job() -> None:
        task = in_background("renewal", forever, Log(output), lambda: counted.append("failed"))
        await asyncio.wait_for(task, 5)

    asyncio.run(job())
    return len(counted)


def test_a_task_that_fails_is_counted_and_logged_without_values_and_begins_again(
    output: io.StringIO,
) -> None:
    outcomes = iter([RecursionError("a value"), KeyError("a value")])

    async def renewal() -> None:
        if error := next(outcomes, None):
            raise error

    assert run(renewal, output) == 2
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [(line["level"], line["task"]) for line in lines] == [("ERROR", "renewal")] * 2
    assert [line["error"].split(" ")[0] for line in lines] == ["RecursionError", "KeyError"]
    assert "a value" not in output.getvalue()


def test_a_cancelled_task_ends(output: io.StringIO) -> None:
    async def job() -> None:
        task = in_background("renewal", lambda: asyncio.sleep(60), Log(output))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(job())
    assert output.getvalue() == ""
