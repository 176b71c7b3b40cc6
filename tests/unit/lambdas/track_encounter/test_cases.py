"""Plays the encounter sequences where their folder is beside the checkout."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.encounter_cases import Player, fits, load, sequences

CASES = ROOT.parent / "shared" / "cases" / "encounters"

ELSEWHERE = {
    "access-restriction": "policy suppresses it",
    "vip-visit": "policy suppresses it",
    "two-doctors-one-mailbox": "the delivery decides",
}
"""Sequences whose outcome the rules of an encounter do not decide."""


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of sequences is not beside the checkout")
def test_the_sequences_are_found() -> None:
    assert len(sequences(CASES)) > 30


@pytest.mark.parametrize("folder", sequences(CASES), ids=lambda folder: folder.name)
def test_each_message_of_a_sequence_tells_what_it_should(folder: Path) -> None:
    if folder.name in ELSEWHERE:
        pytest.skip(ELSEWHERE[folder.name])
    sequence = load(folder)
    player = Player(sequence["registry"])
    for text, expected in zip(sequence["texts"], sequence["expect"], strict=True):
        told = player.play(text)
        assert fits(told, expected["any_of"]), told
