"""Pictures of every kind of notification for the docs: `python -m local.pictures` (needs Chromium).

Each is drawn as a phone (375 px) and a desk (1280 px) shows it, from invented events.
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from lambdas.common.contracts.event import NOTIFIED, EventKind
from lambdas.common.contracts.recipient import FirstNotice
from lambdas.common.contracts.visit import CodedText, Location
from lambdas.delivery.message.letter import Letter, rendered, view_of
from lambdas.delivery.message.locale import words_in
from tests.unit.lambdas.delivery.message.letters import (
    DEATHS,
    FINDINGS,
    RECIPIENT,
    SENDER,
    letter_of,
    of_kind,
)

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTHS = (375, 1280)
REACHED = replace(SENDER, phone="+1 902 555 0100")
FIRST = FirstNotice("3f2a91c4" + "0" * 24, "d" * 32, "2026-11-23T13:13:04.000Z")
FACTS: dict[str, dict[str, Any]] = {
    "transfer": {"prior_location": Location("Eastend Clinic", "ED")},
    "discharge": {"disposition": CodedText("03"), "discharged_to": "Harbour House"},
    "ed_discharge": {"disposition": CodedText("01")},
}


def letters() -> Iterator[tuple[str, Letter]]:
    """Every picture's name and what it shows: each kind, and the forms that a recipient may choose."""
    for kind in NOTIFIED:
        event = DEATHS[3] if kind is EventKind.DEATH else of_kind(kind, **FACTS.get(kind, {}))
        cancels = FIRST if kind.startswith("cancel_") else None
        reader = replace(RECIPIENT, cancels=cancels)
        yield kind, letter_of(event, FINDINGS, reader, REACHED)
    event = of_kind("discharge", **FACTS["discharge"])
    french = replace(RECIPIENT, language="fr-CA")
    yield "discharge_fr", letter_of(event, FINDINGS, french, REACHED)
    yield "minimal", letter_of(event, FINDINGS, RECIPIENT, REACHED, "minimal")
    views = [
        view_of(of_kind(kind), FINDINGS, RECIPIENT, REACHED) for kind in ("admission", "discharge")
    ]
    yield "summary", rendered("", views, words_in("en"))


def take(browser: Browser, folder: Path) -> list[Path]:
    """Draws every letter at both widths, one of them in dark mode too, and returns the files."""
    taken = []
    for name, letter in letters():
        shades = ("light", "dark") if name == "admission" else ("light",)
        for shade in shades:
            for width in WIDTHS:
                page = browser.new_page(
                    viewport={"width": width, "height": 800},
                    color_scheme="dark" if shade == "dark" else "light",
                )
                page.set_content(letter.html)
                mark = "_dark" if shade == "dark" else ""
                file = folder / f"{name}{mark}_{width}.png"
                page.screenshot(path=file, full_page=True)
                page.close()
                taken.append(file)
    return taken


def main() -> None:
    """Takes all pictures into docs/pictures, or into the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for file in take(browser, folder):
            print(f"{file.name}  {file.stat().st_size // 1024} kB")
        browser.close()


if __name__ == "__main__":
    main()
