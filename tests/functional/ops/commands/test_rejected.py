"""`ens rejected` finds what the receiver rejected, and shows no patient."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import Result

TODAY = datetime.now(UTC).date().isoformat()
KEY = f"rejected/{TODAY}/0a1b"
MESSAGE = b"MSH|^~\\&|ADTSYS|NORTHGEN||||||NG-1\rPID|1||0042||Quillfeather^Zeta\r"


@pytest.fixture
def rejected(aws: Any, deployment: object) -> None:
    """Two messages that a receiver rejected today."""
    s3 = aws.client("s3")
    for key, reason in ((KEY, "unknown_type"), (f"rejected/{TODAY}/2c3d", "oversize")):
        s3.put_object(
            Bucket="vault",
            Key=key,
            Body=MESSAGE,
            Metadata={"reason": reason, "connection": "c1", "peer": "10.1.2.3", "receiver": "r1"},
        )


@pytest.mark.usefixtures("rejected")
def test_rejected_messages_are_listed_with_reason_and_key(ens: Callable[..., Result]) -> None:
    result = ens("rejected", "list")
    assert result.exit_code == 0
    assert "unknown type" in result.output
    assert "oversize" in result.output
    assert KEY in result.output
    assert "Quillfeather" not in result.output


@pytest.mark.usefixtures("rejected")
def test_the_list_can_be_limited_to_one_reason(ens: Callable[..., Result]) -> None:
    (one,) = json.loads(ens("rejected", "list", "--reason", "unknown_type", "--json").output)
    assert (one["key"], one["reason"], one["bytes"]) == (KEY, "unknown_type", len(MESSAGE))


@pytest.mark.usefixtures("rejected")
def test_a_rejected_message_is_shown_without_its_text(
    ens: Callable[..., Result],
) -> None:
    shown = ens("rejected", "show", KEY).output
    for fact in ("Unknown type", "10.1.2.3", "c1", f"{len(MESSAGE)} bytes"):
        assert fact in shown
    assert "Quillfeather" not in shown


def test_an_empty_list_is_a_sentence(ens: Callable[..., Result]) -> None:
    assert "No rejected messages in the last 7 days." in ens("rejected", "list").output


@pytest.mark.parametrize("key", ["rejected/2026-01-01/none", "events/0a1b/message.hl7"])
def test_a_key_outside_rejected_is_an_error_in_a_sentence(
    ens: Callable[..., Result], key: str
) -> None:
    result = ens("rejected", "show", key)
    assert result.exit_code == 1
    assert "rejected message" in result.output
