"""What these tests share."""

import pytest


@pytest.fixture(autouse=True)
def ample_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is not what they are about: a run has a minute before it is too late to send."""
    monkeypatch.setattr("lambdas.delivery.attempt.LATEST_START_MS", 60_000)
