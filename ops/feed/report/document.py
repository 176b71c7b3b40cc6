"""The report as a JSON document."""

from typing import Any

import msgspec

from ops.feed.report.report import FeedReport


def document(report: FeedReport) -> dict[str, Any]:
    """The report's members by name; `format` is the version of this shape."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    return found
