"""Fixtures of these tests."""

from typing import Any

import pytest

from lambdas.delivery.context import DeliveryContext, DeliverySettings


@pytest.fixture(autouse=True)
def ample_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is not what they are about: a run has a minute before it is too late to send."""
    monkeypatch.setattr("lambdas.delivery.attempt.LATEST_START_MS", 60_000)


@pytest.fixture
def context(aws: Any) -> DeliveryContext:
    """The context of DeliverNotification with moto's clients."""
    return DeliveryContext(DeliverySettings.from_environment())
