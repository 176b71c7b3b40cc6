"""Decides how much of an event is analysed, from environment and recipients' preferences. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.common.contracts.preferences import CostMode


def mode_for(
    environment: CostMode, recipients: Iterable[Mapping[str, Any]], full_in_clear: bool
) -> CostMode:
    """Returns the cost mode of an event: the richest preference of its recipients, capped by `environment`.

    `recipients` are LookupIdentities' result. A recipient of minimal notifications sees no findings
    and does not count; one without a preference counts with the environment's mode.
    """
    richest_first = list(CostMode)
    wanted = (
        CostMode(r.get("analysis") or "full") for r in recipients if _sees_details(r, full_in_clear)
    )
    place = min(map(richest_first.index, wanted), default=richest_first.index(CostMode.OFF))
    return richest_first[max(place, richest_first.index(environment))]


def _sees_details(recipient: Mapping[str, Any], full_in_clear: bool) -> bool:
    detail = recipient.get("detail", "full")
    return detail == "smime" or (detail == "full" and full_in_clear)
