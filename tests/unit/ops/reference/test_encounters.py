"""docs/encounters.md is what the rules do."""

import re

from lambdas.common.contracts.encounters.encounter import DecisionReason
from lambdas.track_encounter.rules import QUIET
from lambdas.track_encounter.triggers import CANCELS, RULES
from ops.commands.encounters import WITHOUT_BEGIN
from ops.reference.encounters import PAGE, REASONS, rendered


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    assert page == rendered(page), "write it again: make reference"


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(DecisionReason)


def test_the_gaps_of_a_feed_have_the_words_and_the_events_of_the_list() -> None:
    gaps = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+)$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert gaps.keys() >= set(WITHOUT_BEGIN.values())
    recorded = {r.trigger_event for r in RULES if r.effect in CANCELS and r.effect not in QUIET}
    assert set(re.findall(r"\bA\d\d\b", gaps["cancels nothing"])) == recorded
