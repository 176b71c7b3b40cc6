import pytest

from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.workflow.tasks import RecipientReference
from lambdas.extract_entities.cost_mode import mode_for


@pytest.mark.parametrize(
    ("environment", "preferences", "mode"),
    [
        (CostMode.FULL, ["full"], "full"),
        (CostMode.FULL, ["coded"], "coded"),
        (CostMode.FULL, ["off"], "off"),
        (CostMode.FULL, ["off", "coded"], "coded"),
        (CostMode.FULL, ["coded", "full", "off"], "full"),
        (CostMode.CODED, ["full"], "coded"),
        (CostMode.CODED, ["off"], "off"),
        (CostMode.OFF, ["full"], "off"),
        (CostMode.FULL, [], "off"),
    ],
)
def test_the_richest_preference_is_asked_for_and_no_more_than_the_environment_allows(
    environment: CostMode, preferences: list[str], mode: str
) -> None:
    recipients = [
        RecipientReference(recipient_ref="k1.a", analysis=CostMode(preference))
        for preference in preferences
    ]
    assert mode_for(environment, recipients, full_in_clear=True) == mode


@pytest.mark.parametrize(
    ("detail", "full_in_clear", "mode"),
    [
        ("full", True, "full"),
        ("full", False, "off"),
        ("minimal", True, "off"),
        ("smime", False, "full"),
    ],
)
def test_nothing_is_asked_for_who_sees_no_finding(
    detail: str, full_in_clear: bool, mode: str
) -> None:
    told = RecipientReference(
        recipient_ref="k1.a", detail=DetailLevel(detail), analysis=CostMode.FULL
    )
    assert mode_for(CostMode.FULL, [told], full_in_clear) == mode


def test_who_has_no_preference_takes_what_the_environment_gives() -> None:
    assert (
        mode_for(CostMode.FULL, [RecipientReference(recipient_ref="k1.a")], full_in_clear=True)
        == "full"
    )
