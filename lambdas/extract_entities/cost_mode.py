"""What an event is analysed for: no more than the environment allows and its recipients want. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.extract_entities.settings import COST_MODES


def mode_for(environment: str, recipients: Iterable[Mapping[str, Any]], full_in_clear: bool) -> str:
    """The cost mode of an event: the richest that a recipient who sees details prefers, capped.

    `recipients` are LookupIdentities' result. Who gets a minimal notification sees no finding, so
    nothing is asked for them; who has no preference takes what the environment gives.
    """
    richest_first = list(COST_MODES)
    wanted = (r.get("analysis") or "full" for r in recipients if _sees_details(r, full_in_clear))
    place = min(map(richest_first.index, wanted), default=richest_first.index("off"))
    return richest_first[max(place, richest_first.index(environment))]


def _sees_details(recipient: Mapping[str, Any], full_in_clear: bool) -> bool:
    detail = recipient.get("detail", "full")
    return detail == "smime" or (detail == "full" and full_in_clear)
