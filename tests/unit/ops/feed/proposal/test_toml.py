"""TOML that is written is read again by the standard library as the same values."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops.feed.proposal import toml

# Lone surrogates are no characters of a UTF-8 file.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SIMPLE = TEXTS | st.booleans() | st.integers(-(10**9), 10**9)
VALUES = SIMPLE | st.lists(TEXTS, max_size=3) | st.dictionaries(TEXTS, SIMPLE, max_size=3)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_any_value_survives(given_values: dict[str, Any]) -> None:
    lines = "\n".join(toml.pair(name, value) for name, value in given_values.items())
    assert tomllib.loads(lines) == given_values
