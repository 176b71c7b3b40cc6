"""Every kind of notification passes the mail linter, and the linter finds what it should."""

from dataclasses import replace

import pytest

from lambdas.common.contracts.message.event_kind import NOTIFIED
from lambdas.delivery.letter.letter import rendered, view_of
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import LANGUAGES, words_in
from tests.unit.lambdas.delivery.letter.letters import (
    FINDINGS,
    RECIPIENT,
    SENDER,
    letter_of,
    of_kind,
)
from tests.unit.lambdas.delivery.letter.mail_html import faults


@pytest.mark.parametrize("detail", ["full", "minimal"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NOTIFIED)
def test_every_kind_holds_in_mail_clients(kind: str, language: str, detail: str) -> None:
    event = of_kind(kind)
    recipient = replace(RECIPIENT, language=language)
    assert faults(letter_of(event, FINDINGS, recipient, detail=detail).html) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_holds_in_mail_clients(language: str) -> None:
    recipient = replace(RECIPIENT, language=language)
    views = [view_of(Told(of_kind(kind), FINDINGS), recipient, SENDER) for kind in NOTIFIED[:9]]
    html = rendered(views, words_in(language)).html
    assert faults(html) == []
    # WCAG 1.3.1: the sections of a notification stand below its heading.
    assert html.count("<h2") == len(views)


GOOD = letter_of().html


@pytest.mark.parametrize(
    ("there", "instead", "fault"),
    [
        ("<!DOCTYPE html>\n", "", "no doctype"),
        (' lang="en"', "", "no language"),
        ("</h1>", '</h1><img src="https://x.example/1.gif">', "fetched from elsewhere"),
        ("</h1>", "</h1><script>1</script>", "<script> does not belong"),
        ("</h1>", '</h1><p onclick="x">1</p>', "has a handler onclick"),
        ("</h1>", '</h1><p style="display:flex;position:absolute">1</p>', "position does not hold"),
        ("prefers-color-scheme: dark", "print", "no dark mode"),
        ("</h1>", "</h1><h4>1</h4>", "skips one"),
        ("</body>", "x" * 100_000 + "</body>", "longer than 100 kB"),
        ("</h1>", "</h1><p>", "never closed"),
    ],
)
def test_the_linter_finds_what_breaks_in_a_mail(there: str, instead: str, fault: str) -> None:
    assert there in GOOD
    assert any(fault in found for found in faults(GOOD.replace(there, instead, 1)))
