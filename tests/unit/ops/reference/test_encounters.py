"""docs/encounters.md is what the rules do."""

from lambdas.common.contracts.encounter import DecisionReason
from ops.reference.encounters import PAGE, REASONS, rendered


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    assert page == rendered(page), "write it again: make reference"


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(DecisionReason)
