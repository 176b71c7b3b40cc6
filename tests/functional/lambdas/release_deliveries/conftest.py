"""The function DeliverNotification beside ReleaseDeliveries, in one process."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.common.aws.clients import Clients
from lambdas.delivery import attempt
from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.release_deliveries import releasing
from tests.functional.lambdas.release_deliveries.world import Lambda


@pytest.fixture(autouse=True)
def function(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The function that a release calls, and one call at a time: metrics are a process's own."""
    stand_in = Lambda()
    monkeypatch.setenv("ENS_DELIVER_FUNCTION", "DeliverNotification")
    monkeypatch.setattr(releasing, "AT_ONCE", 1)
    # A busy machine makes a run late, and a late one leaves its mail to the next.
    monkeypatch.setattr(attempt, "LATEST_START_MS", 60_000)
    yield stand_in


@pytest.fixture
def context(function: Lambda) -> DeliveryContext:
    """The context of both functions: a release calls `function`."""
    function.context = DeliveryContext(
        DeliverySettings.from_environment(), Clients(**{"lambda": function})
    )
    return function.context
