"""Pictures of every kind of notification for the docs: `python -m tests.support.pictures` (needs Chromium).

Each is drawn as a phone (375 px) and a desk (1280 px) shows it, from invented events.
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    Decision,
    EncounterClass,
    Facts,
    Notice,
    Phase,
)
from lambdas.common.contracts.encounters.stay_flags import EarlierStay, FlagKind, StayFlag
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, NOTIFIED, EventKind
from lambdas.common.contracts.message.visit import CodedText, Location
from lambdas.common.contracts.recipients.recipient import FirstNotice
from lambdas.delivery.letter.letter import Letter, compose, rendered, view_of
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import words_in
from tests.unit.lambdas.delivery.letter.letters import (
    DEATHS,
    FINDINGS,
    RECIPIENT,
    SENDER,
    letter_of,
    of_kind,
)

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDTHS = (375, 1280)
REACHED = replace(SENDER, phone="+1 902 555 0100")
STAY_REF = "9b41d07e" + "0" * 24
LONG_AGO = "2026-11-21T13:12:00.000Z"
RECEIVED_AT = "2026-11-23T13:12:04.000Z"
FIRST = FirstNotice("7c15e2b0" + "0" * 24, "d" * 32, "2026-11-23T13:13:04.000Z")
CHANGES = {"correction": (Change.CLASS,), "update": (Change.ATTENDING, Change.DIAGNOSIS)}
NOW = {"correction": EncounterClass.OBSERVATION}
FLAGS = (
    StayFlag(
        kind=FlagKind.READMISSION,
        stays=(
            EarlierStay(
                encounter_id="e",
                sender="stmary",
                hospital="St Mary Hospital",
                encounter_class=EncounterClass.INPATIENT,
                began_at="2026-11-01T12:00:00.000Z",
                ended_at="2026-11-05T15:00:00.000Z",
            ),
        ),
    ),
)
FACTS: dict[str, dict[str, Any]] = {
    "transfer": {"prior_location": Location("Eastend Clinic", "ED")},
    "discharge": {"disposition": CodedText("03"), "discharged_to": "Harbour House"},
    "ed_discharge": {"disposition": CodedText("01")},
}


def letters() -> Iterator[tuple[str, Letter]]:
    """Every picture's name and what it shows: each kind, and the forms that a recipient may choose."""
    for kind in NOTIFIED:
        event = DEATHS[3] if kind is EventKind.DEATH else of_kind(kind, **FACTS.get(kind, {}))
        if kind is EventKind.ED_REGISTRATION:
            event = replace(event, occurred_at=LONG_AGO)
        yield kind, _decided(event, kind)
    yield "wrong_patient", _decided(of_kind("correction"), changes=(Change.PATIENT,))
    into_a_bed = of_kind("ed_discharge", disposition=CodedText("09"))
    yield "ed_admitted", _decided(into_a_bed)
    yield "flagged", _decided(of_kind("admission"), flags=FLAGS)
    event = of_kind("discharge", **FACTS["discharge"])
    french = replace(RECIPIENT, language="fr-CA")
    yield "discharge_fr", letter_of(event, FINDINGS, french, REACHED)
    yield "minimal", letter_of(event, FINDINGS, RECIPIENT, REACHED, "minimal")
    views = [
        view_of(Told(of_kind(kind), FINDINGS), RECIPIENT, REACHED)
        for kind in ("admission", "discharge")
    ]
    yield "summary", rendered(views, words_in("en"))


def _decided(
    event: PatientEvent,
    picture: str = "",
    changes: tuple[Change, ...] = (),
    flags: tuple[StayFlag, ...] = (),
) -> Letter:
    """The letter of an event as TrackEncounter decided it, about the first notice where there is one."""
    kind = event.event_kind
    later = kind in CANCELS or kind is EventKind.UPDATE
    notice = Notice(
        kind=kind,
        audience=Audience.TOLD if later else Audience.TEAM,
        at=LONG_AGO,
        late=picture == "ed_registration",
        changes=changes or CHANGES.get(picture, ()),
    )
    state = NOW.get(picture, EncounterClass.INPATIENT)
    decision = Decision(
        event_id=event.event_id,
        trigger_event=event.trigger_event,
        decided_at=RECEIVED_AT,
        encounter_id=STAY_REF,
        phase=Phase.CANCELLED if kind is EventKind.CANCEL_ADMISSION else Phase.IN,
        classes=(EncounterClass.EMERGENCY, state) if flags else (state,),
        facts=Facts(encounter_class=state),
        notices=(notice,),
    )
    first = replace(FIRST, event_kind=CANCELS.get(kind, (EventKind.ADMISSION,))[0])
    reader = replace(RECIPIENT, cancels=first if later else None, stay_ref=STAY_REF)
    told = Told(replace(event, decision=decision), FINDINGS, RECEIVED_AT, flags)
    return compose(told, reader, REACHED)


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
            sys.stdout.write(f"{file.name}  {file.stat().st_size // 1024} kB\n")
        browser.close()


if __name__ == "__main__":
    main()
