import pytest

from lambdas.extract_entities.cost_mode import mode_for


@pytest.mark.parametrize(
    ("environment", "wishes", "mode"),
    [
        ("full", ["full"], "full"),
        ("full", ["coded"], "coded"),
        ("full", ["off"], "off"),
        ("full", ["off", "coded"], "coded"),
        ("full", ["coded", "full", "off"], "full"),
        ("coded", ["full"], "coded"),
        ("coded", ["off"], "off"),
        ("off", ["full"], "off"),
        ("full", [], "off"),
    ],
)
def test_the_richest_wish_is_asked_for_and_no_more_than_the_environment_allows(
    environment: str, wishes: list[str], mode: str
) -> None:
    recipients = [{"detail": "full", "analysis": wish} for wish in wishes]
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
    assert mode_for("full", [{"detail": detail, "analysis": "full"}], full_in_clear) == mode


def test_who_has_no_preference_takes_what_the_environment_gives() -> None:
    assert mode_for("full", [{"recipient_ref": "k1.a"}], full_in_clear=True) == "full"
