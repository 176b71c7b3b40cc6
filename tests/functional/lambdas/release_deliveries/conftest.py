"""The function DeliverNotification beside ReleaseDeliveries, in one process."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.common.aws.clients import client as real
from lambdas.delivery import attempt
from lambdas.release_deliveries import delivering, releasing
from tests.functional.lambdas.release_deliveries.world import Lambda


@pytest.fixture(autouse=True)
def function(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The function that a release calls, and one call at a time: metrics are a process's own."""
    stand_in = Lambda()
    monkeypatch.setenv("ENS_DELIVER_FUNCTION", "DeliverNotification")
    monkeypatch.setattr(
        delivering, "client", lambda name, *a: stand_in if name == "lambda" else real(name, *a)
    )
    monkeypatch.setattr(releasing, "AT_ONCE", 1)
    # A busy machine makes a run late, and a late one leaves its mail to the next.
    monkeypatch.setattr(attempt, "LATEST_START_MS", 60_000)
    yield stand_in
