"""The proposed file keeps what an existing one says."""

import tomllib
from typing import Any

import msgspec

from environments import Sender
from lambdas.common.senders import SenderCodes
from ops.feed.checking.tally import FeedTally
from ops.feed.proposal.sender_file import proposed_file
from tests.unit.environments.files import SENDER


def test_every_key_of_an_existing_file_stays_as_it_is() -> None:
    given: dict[str, Any] = {
        **SENDER,
        "encounters": {"emergency_units": ["ER"], "settle_seconds": {"admission": 0}},
    }
    known = msgspec.convert({**given, "name": "west"}, Sender)
    text = proposed_file("west", known, FeedTally(SenderCodes()))
    assert tomllib.loads(text) == {k: v for k, v in given.items() if v is not False}
