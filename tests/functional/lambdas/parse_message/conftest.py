"""Fixtures of these tests."""

from typing import Any

import pytest

from lambdas.parse_message.context import ParseContext, ParseSettings


@pytest.fixture
def context(aws: Any) -> ParseContext:
    """The context of ParseMessage with moto's clients."""
    return ParseContext(ParseSettings.from_environment())
