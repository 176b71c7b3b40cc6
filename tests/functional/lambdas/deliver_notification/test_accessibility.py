"""axe-core, the accessibility checker, over every kind of notification in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.pictures import letters

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


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_every_notification_can_be_read_by_everybody(browser: Browser, shade: str) -> None:
    page = browser.new_page(
        viewport={"width": 375, "height": 800},
        color_scheme="dark" if shade == "dark" else "light",
    )
    for name, letter in letters():
        page.set_content(letter.html)
        page.add_script_tag(path=AXE)
        found = page.evaluate(
            "axe.run(document, {rules: {region: {enabled: false}, 'landmark-one-main': {enabled: false}}})"
        )
        assert [violation["id"] for violation in found["violations"]] == [], name
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 375, f"{name} scrolls sideways"
    page.close()
