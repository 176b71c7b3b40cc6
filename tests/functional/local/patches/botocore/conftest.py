"""Each change to botocore ends with the test that made it."""

import pytest

from tests.support.botocore_changes import REPLACED


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts botocore's own functions back after the test."""
    for owner, name in REPLACED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
