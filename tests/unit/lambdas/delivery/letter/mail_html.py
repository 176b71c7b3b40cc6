"""A linter of the rules that HTML mail lives by, as caniemail.com and Outlook's Word engine set them."""

import re
from itertools import pairwise

from tests.unit.lambdas.delivery.letter.letters import Page

FORBIDDEN = frozenset(
    {
        "script",
        "iframe",
        "form",
        "input",
        "object",
        "embed",
        "video",
        "audio",
        "svg",
        "link",
        "base",
    }
    | {"button", "style-link", "canvas", "img", "a"}
)
"""Removed by clients, or (images, links) what would call home."""

SAFE_CSS = frozenset(
    {
        *("background-color", "border", "border-bottom", "border-collapse", "border-color"),
        *("border-left", "border-top", "color", "display", "font-family", "font-size"),
        *("font-weight", "line-height", "margin", "max-height", "max-width", "mso-hide"),
        *("overflow", "padding", "text-align", "word-break"),
    }
)
"""Inline properties that Outlook, Gmail and Apple Mail keep, or drop without harm."""

GMAIL_CUTS = 102_400
"""Gmail clips a mail whose HTML is longer."""
LONGEST_STYLE = 8_192
"""Gmail drops a longer style element."""


def faults(html: str) -> list[str]:
    """Everything in an HTML mail that breaks one of the rules."""
    page = Page(html)
    found = list(page.faults)
    tags = dict(page.tags)
    if not html.startswith("<!DOCTYPE html>"):
        found.append("no doctype: Outlook.com renders in quirks mode")
    if not (tags.get("html") or {}).get("lang"):
        found.append("no language: a screen reader guesses the pronunciation")
    if len(html.encode()) > min(GMAIL_CUTS, 100_000):
        found.append("longer than 100 kB: Gmail cuts it")
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    found += ["a style element over 8 kB: Gmail drops it" for s in styles if len(s) > LONGEST_STYLE]
    if re.search(r"url\(|@import|https?:|src=", html, re.IGNORECASE):
        found.append("something is fetched from elsewhere")
    for name in ("color-scheme", "viewport"):
        if not any(tag == "meta" and at.get("name") == name for tag, at in page.tags):
            found.append(f"no meta {name}")
    if "prefers-color-scheme: dark" not in html:
        found.append("no dark mode")
    for tag, attributes in page.tags:
        found += _of_tag(tag, attributes)
    return [*found, *_headings(page)]


def _of_tag(tag: str, attributes: dict[str, str | None]) -> list[str]:
    found = [f"<{tag}> does not belong in a mail"] if tag in FORBIDDEN else []
    found += [f"<{tag}> has a handler {name}" for name in attributes if name.startswith("on")]
    if (
        tag in ("td", "th")
        and "color" in (attributes.get("style") or "")
        and not attributes.get("class")
    ):
        found.append(f"<{tag}> has a colour that dark mode cannot reach")
    for declaration in (attributes.get("style") or "").split(";"):
        name = declaration.partition(":")[0].strip()
        if name and name not in SAFE_CSS:
            found.append(f"{name} does not hold in Outlook or Gmail")
    if tag == "table" and attributes.get("cellpadding") is None:
        found.append("a table without cellpadding: Outlook adds its own")
    return found


def _headings(page: Page) -> list[str]:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    found = [] if levels.count(1) == 1 else ["a mail has one first heading"]
    skips = [b for a, b in pairwise(levels) if b > a + 1]
    return [*found, *(f"a heading of level {level} skips one" for level in skips)]
