"""Decides how much of an event is analysed, from environment and recipients' preferences. Pure."""

from collections.abc import Iterable

from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.workflow.tasks import RecipientReference


def mode_for(
    environment: CostMode, recipients: Iterable[RecipientReference], full_in_clear: bool
) -> CostMode:
    """Returns the cost mode of an event: the richest preference of its recipients, capped by `environment`.

    `recipients` are LookupIdentities' result. A recipient of minimal notifications sees no findings
    and does not count; one without a preference counts with the environment's mode.
    """
    richest_first = list(CostMode)
    wanted = (
        recipient.analysis or CostMode.FULL
        for recipient in recipients
        if _sees_details(recipient, full_in_clear)
    )
    place = min(map(richest_first.index, wanted), default=richest_first.index(CostMode.OFF))
    return richest_first[max(place, richest_first.index(environment))]


def _sees_details(recipient: RecipientReference, full_in_clear: bool) -> bool:
    if recipient.detail is DetailLevel.FULL:
        return full_in_clear
    return recipient.detail is DetailLevel.SMIME
