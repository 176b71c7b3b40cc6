"""The words of a notification, a file for each language: `languages/en.toml`, `languages/fr-CA.toml`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("languages")
DEFAULT = "en"
LANGUAGES = ("en", "fr-CA")


class Words:
    """One language's words. A table is a member (`words.labels.patient`), a text one that is filled in."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name: str) -> Any:
        value = self._table[name]
        return Words(value) if isinstance(value, dict) else value

    def get(self, name: str, otherwise: str = "") -> str:
        """The text under a code that a sender wrote; `otherwise` where there is none."""
        found: str = self._table.get(name, otherwise)
        return found

    def names(self) -> list[str]:
        """The names in this table."""
        return list(self._table)


@cache
def words_in(language: str) -> Words:
    """The words of a language; English where there is no such file."""
    known = language if language in LANGUAGES else DEFAULT
    return Words(tomllib.loads((FOLDER / f"{known}.toml").read_text(encoding="utf-8")))
