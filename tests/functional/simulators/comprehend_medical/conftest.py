"""The stand-in on a real socket, and boto3's client for it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.support.comprehend_medical import serving


@pytest.fixture(scope="session")
def stand_in_url() -> Iterator[str]:
    """The URL of one stand-in for all tests of this folder."""
    with serving() as url:
        yield url


@pytest.fixture
def comprehend(stand_in_url: str) -> Iterator[Any]:
    """An unmodified boto3 client, pointed at the stand-in, that retries nothing."""
    client = boto3.client(
        "comprehendmedical",
        endpoint_url=stand_in_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
