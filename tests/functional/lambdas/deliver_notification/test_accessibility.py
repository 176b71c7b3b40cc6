"""axe-core, the accessibility checker, over every kind of notification in a real browser."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lambdas.common.contracts.message.person import Name
from tests.support.pictures import letters
from tests.unit.lambdas.delivery.letter.letters import ADMISSION, letter_of

AXE = Path(__file__).resolve().parents[4] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium"),
    pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm ci"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page of a phone, with axe-core, which stays there when `set_content` replaces the text."""
    opened = browser.new_page(
        viewport={"width": 375, "height": 800},
        color_scheme="dark" if request.param == "dark" else "light",
    )
    opened.add_script_tag(path=AXE)
    yield opened
    opened.close()


def violations(page: Page) -> list[str]:
    """The rules that the page breaks. Without `resultTypes`, axe-core lists each element that keeps one."""
    found: list[str] = page.evaluate(
        """axe.run(document, {
          resultTypes: ["violations"],
          rules: {region: {enabled: false}, "landmark-one-main": {enabled: false}},
        }).then(results => results.violations.map(violation => violation.id))"""
    )
    return found


@pytest.mark.slow
def test_every_notification_can_be_read_by_everybody(page: Page) -> None:
    for name, letter in letters():
        page.set_content(letter.html)
        assert violations(page) == [], name
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 375, f"{name} scrolls sideways"


def test_a_name_without_a_blank_does_not_make_a_phone_scroll_sideways(page: Page) -> None:
    name = Name(family="Wolfeschlegelsteinhausenbergerdorff" * 3, given="Hubert")
    event = replace(ADMISSION, patient=replace(ADMISSION.patient, name=name))
    page.set_content(letter_of(event).html)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_pale_text_and_a_picture_without_words_are_found_after_a_good_letter(page: Page) -> None:
    _, letter = next(iter(letters()))
    page.set_content(letter.html)
    assert violations(page) == []
    page.set_content(
        letter.html.replace(
            "</body>", '<p style="color:#ccc;background:#fff">A pale text</p><img src=""></body>'
        )
    )
    assert violations(page) == ["color-contrast", "image-alt"]
