"""Fixtures of these tests."""

from typing import Any

import pytest

from lambdas.delivery.context import DeliveryContext, DeliverySettings


@pytest.fixture
def context(aws: Any) -> DeliveryContext:
    """The context of DeliverNotification with moto's clients."""
    return DeliveryContext(DeliverySettings.from_environment())
