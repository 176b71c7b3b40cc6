"""The time for which a text uses the quota, and the start of each of its requests."""

import pytest

from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.comprehend_medical.operations import Operation
from lambdas.extract_entities.context import Quota

QUOTA = Quota(requests=40, characters=40_000)


@pytest.mark.parametrize(
    ("characters", "seconds"), [(0, 0.025), (400, 0.025), (1_000, 0.025), (4_000, 0.1), (40_000, 1)]
)
def test_a_request_costs_what_it_takes_of_requests_or_characters_whichever_is_more(
    characters: int, seconds: float
) -> None:
    assert QUOTA.seconds_for(characters) == pytest.approx(seconds)


def test_a_short_note_costs_one_request_however_many_operations_it_goes_to() -> None:
    both = comprehend.cost("Has gout.", [Operation.DETECT_ENTITIES, Operation.INFER_ICD10CM], QUOTA)
    assert (
        both
        == comprehend.cost("Has gout.", [Operation.INFER_ICD10CM], QUOTA)
        == pytest.approx(0.025)
    )


def test_nothing_to_ask_costs_nothing() -> None:
    assert comprehend.cost("Has gout.", [], QUOTA) == 0


def test_a_long_text_costs_its_characters_and_its_pieces_go_out_at_that_pace() -> None:
    text = "Seen on rounds. " * 1_500
    pieces, free = comprehend._begins(text, Operation.INFER_ICD10CM, QUOTA)
    begins = [begin for _, begin in pieces]
    assert len(pieces) == 3
    assert begins == sorted(begins)
    assert begins[1] == pytest.approx(0.25, abs=0.01), "10,000 characters of 40,000 a second"
    assert free == pytest.approx(len(text) / 40_000, abs=0.01)
