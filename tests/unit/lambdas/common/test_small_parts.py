"""Times, settings, items and delivery ids."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from lambdas.common import clock
from lambdas.common.aws.items import from_item, to_item
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.settings import Settings, required


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 23, 5, 15, 2, 113_900, tzinfo=timezone(timedelta(hours=-4)))
    assert clock.iso(moment) == "2026-11-23T09:15:02.113Z"
    assert clock.now().endswith("Z")


def test_elapsed_time_is_never_negative() -> None:
    ago = clock.iso(datetime.now(UTC) - timedelta(seconds=2))
    ahead = clock.iso(datetime.now(UTC) + timedelta(seconds=60))
    assert 1_900 < clock.milliseconds_since(ago) < 10_000
    assert clock.milliseconds_since(ahead) == 0


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "America", "../etc/passwd", "x" * 300])
def test_a_name_that_is_no_time_zone_is_none(name: str) -> None:
    """IANA's database has `America/` as a folder: zoneinfo raises IsADirectoryError for it."""
    assert clock.zone_named(name) is None
    assert clock.zone_named("America/Halifax") == ZoneInfo("America/Halifax")


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named_and_its_messages_wait(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENS_LEDGER_TABLE", raising=False)
    if value is not None:
        monkeypatch.setenv("ENS_LEDGER_TABLE", value)
    with pytest.raises(DependencyUnavailableError, match=r"^ENS_LEDGER_TABLE is not set$"):
        required("ENS_LEDGER_TABLE")


def test_the_first_missing_setting_of_all_steps_is_named(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENS_AUDIT_TABLE")
    with pytest.raises(DependencyUnavailableError, match="ENS_AUDIT_TABLE"):
        Settings.from_environment()
    monkeypatch.setenv("ENS_AUDIT_TABLE", "audit")
    assert Settings.from_environment().audit_table == "audit"


def test_an_item_comes_back_as_it_was_written() -> None:
    plain = {"n": 7, "s": "x", "l": ["a", {"deep": 1}], "b": True, "none": None, "set": {"a", "b"}}
    assert from_item(to_item(plain)) == plain
