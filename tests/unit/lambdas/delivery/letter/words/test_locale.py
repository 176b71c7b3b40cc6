"""Both languages say all there is to say, and each recipient gets theirs."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.message.event_kind import NOTIFIED
from lambdas.delivery.letter.words.locale import LANGUAGES, Words, words_in
from tests.unit.lambdas.delivery.letter.letters import (
    FINDINGS,
    RECIPIENT,
    Page,
    letter_of,
    of_kind,
)

FRENCH = replace(RECIPIENT, language="fr-CA")


def leaves(words: Words, path: str = "") -> dict[str, Any]:
    """Every text of a language by its path."""
    found: dict[str, Any] = {}
    for name in words.names():
        value = words[name]
        if isinstance(value, Words):
            found.update(leaves(value, f"{path}{name}."))
        else:
            found[path + name] = value
    return found


def test_every_text_of_one_language_is_in_the_other_with_the_same_blanks_to_fill() -> None:
    english, french = (leaves(words_in(language)) for language in LANGUAGES)
    assert set(english) == set(french)
    for path, text in english.items():
        if isinstance(text, str):
            assert blanks(text) <= blanks(french[path]) | {"day"}, path
        elif isinstance(text, list):
            assert len(text) == len(french[path])


def blanks(text: str) -> set[str]:
    """The names between braces."""
    return {part.partition("}")[0] for part in text.split("{")[1:]}


@pytest.mark.parametrize("kind", NOTIFIED)
def test_a_french_reader_finds_no_english_word(kind: str) -> None:
    event = of_kind(kind)
    letter = letter_of(event, FINDINGS, FRENCH)
    page = Page(letter.html)
    assert dict(page.tags)["html"] == {"lang": "fr-CA"}
    shown = f" {letter.subject} {letter.text} {page.text} ".lower()
    for word in (" the ", " patient's ", " hospital ", " born", " read ", " you ", " and "):
        assert word not in shown, word
    assert words_in("fr-CA").notices[kind].title in letter.subject
    assert "Établissement expéditeur" in page.text


def test_a_language_that_nobody_wrote_is_english() -> None:
    assert words_in("tlh") is not None
    assert letter_of(recipient=replace(RECIPIENT, language="tlh")).text == letter_of().text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NOTIFIED)
def test_a_minimal_notice_holds_initials_institution_and_event_and_no_more(
    kind: str, language: str
) -> None:
    event = of_kind(kind)
    recipient = replace(RECIPIENT, language=language)
    letter = letter_of(event, FINDINGS, recipient, detail="minimal")
    for text in (letter.subject, letter.text, letter.html):
        for private in ("Okonjo", "Amaka", "1958", "Barros", "4W", "embolism", "a-fib", "breath"):
            assert private not in text
    for text in (letter.text, Page(letter.html).text):
        assert "A. O." in text
        assert "Northtown General" in text
        assert words_in(language).notices[kind].title.lower() in text.lower()
        assert words_in(language).sentences.minimal in text
