"""The console page in a real browser: headless Chromium where it is installed."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from local.console.app import create_app
from tests.support.console import (
    ADMITTED,
    FAILED,
    MAIL_ID,
    FakeLooks,
    FakeMailbox,
    FakeStays,
    FakeTrails,
    summary,
)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATHS = ("/", f"/events/{ADMITTED}", f"/events/{FAILED}", "/mail", f"/mail/{MAIL_ID}", "/dlq")
WIDTHS = (375, 1280)
PICTURE = ("127.0.0.1", 47999)  # the address in the mail of tests/support/console.py

pytestmark = [
    pytest.mark.skipif(
        not CHROMIUM.exists(),
        reason=f"the browser check needs {CHROMIUM}: apt-get install chromium",
    ),
    # A closing browser drops the connection on which the test's server still sends a file.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def trails() -> FakeTrails:
    return FakeTrails()


@pytest.fixture
def address(trails: FakeTrails) -> Iterator[str]:
    server = make_server(
        "127.0.0.1", 0, create_app(trails, FakeMailbox(), FakeStays(), FakeLooks()), threaded=True
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def complaints() -> list[str]:
    """The messages of the page's console: a policy that blocks our own files reports it here."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=address)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    yield opened
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PATHS)
def test_no_page_scrolls_sideways_and_its_own_policy_lets_it_work(
    page: Page, complaints: list[str], path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.brand')).fontWeight") == "700"
    foreign = "script execution in" if path.startswith("/mail/") else "nothing"
    kept = [text for text in complaints if foreign not in text and "pixel.png" not in text]
    assert kept == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_dark(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in (f"/events/{FAILED}", f"/events/{ADMITTED}", "/"):
        page.goto(path)
        for selector in ("h1", ".sub", ".badge", ".bad", ".todo p", "nav a"):
            for element in page.locator(f"{selector} >> visible=true").all():
                ratio = element.evaluate(CONTRAST)
                # WCAG 2.2, 1.4.3: at least 4.5 to 1 for text of this size.
                assert ratio >= 4.5, f"{selector} on {path} in {scheme}: {ratio:.2f}"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    assert page.locator(":focus").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/*")


def test_the_mail_is_shown_as_sent_and_can_do_nothing(page: Page) -> None:
    with socket.create_server(PICTURE) as pictures:
        pictures.setblocking(False)
        page.goto(f"/mail/{MAIL_ID}", wait_until="load")
        page.wait_for_timeout(500)
        with pytest.raises(BlockingIOError):  # nobody connected: the picture was not fetched
            pictures.accept()
    frame = page.frame_locator("iframe")
    assert frame.locator("#letter").inner_text() == "Lena Brandt was admitted"
    assert frame.locator("#letter").evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert frame.locator("#styled").evaluate("e => getComputedStyle(e).color") == "rgb(4, 5, 6)"
    assert page.locator("pre.text").inner_text().startswith("Lena Brandt was admitted")


def test_a_new_event_appears_by_itself_and_the_focus_stays(page: Page, trails: FakeTrails) -> None:
    page.goto("/")
    link = page.locator(f"a[href='/events/{ADMITTED}']")
    link.focus()
    trails.events = [summary("e5" * 16, "COMPLETED", event_kind="transfer"), *trails.events]
    page.get_by_role("link", name="Transfer").wait_for(timeout=30_000)
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/events/{ADMITTED}"


CONTRAST = """element => {
  const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const parse = text => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const paint = canvas.getContext("2d");
    paint.fillStyle = text;
    paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  let ground = element;
  while (ground && parse(getComputedStyle(ground).backgroundColor)[3] < 255) ground = ground.parentElement;
  const one = light(parse(getComputedStyle(element).color));
  const other = light(parse(getComputedStyle(ground ?? document.body).backgroundColor));
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
