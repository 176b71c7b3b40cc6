"""Feeds of a week for tests and the benchmark: the messages of invented stays, in the order of sending."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 16, tzinfo=UTC)
SURNAMES = ("Okafor", "Lindqvist", "Tremblay", "Barros", "Rehak", "Yilmaz", "Moreau", "Adeyemi")
GIVEN = ("Amara", "Petra", "Luc", "Ines", "Tomas", "Deniz", "Claire", "Kofi")
UNITS = ("4W", "5E", "ICU", "ED")
REASONS = ("Chest pain", "Fall at home", "Pneumonia", "Abdominal pain")


def message(
    trigger_event: str,
    sent: datetime,
    number: int,
    patient: int,
    *,
    visit: str = "",
    patient_class: str = "I",
    disposition: str = "",
    reason: str = "",
) -> bytes:
    """One message of NORTHGEN, with every field that notifications need."""
    at = f"{sent:%Y%m%d%H%M%S}+0000"
    names = random.Random(patient)
    name = f"{names.choice(SURNAMES)}^{names.choice(GIVEN)}"
    visit = visit or f"V{patient:06}"
    pv1 = {
        1: "1",
        2: patient_class,
        3: f"{UNITS[patient % 4]}^{patient % 30}^A^NORTHGEN",
        7: "1777777776^Barros^Ines^^^Dr",
        19: visit,
        36: disposition,
        44: at,
        45: at if trigger_event == "A03" else "",
    }
    fields = "|".join(pv1.get(n, "") for n in range(1, max(pv1) + 1))
    segments = [
        rf"MSH|^~\&|ADTSYS|NORTHGEN|ENS|HUB|{at}||ADT^{trigger_event}|M{number:07}|P|2.5.1",
        f"EVN|{trigger_event}|{at}",
        f"PID|1||H{patient:05}^^^NORTHGEN^MR||{name}||{1930 + patient % 80}0214|F",
        "PD1||||1888888886^Tremblay^Luc",
        f"PV1|{fields}",
        f"PV2|||^{reason or REASONS[patient % 4]}",
    ]
    return "".join(f"{one}\r" for one in segments).encode()


def week(messages: int, seed: int = 1) -> Iterator[bytes]:
    """So many messages: admissions, updates, moves and discharges of many patients, one after the other."""
    chance = random.Random(seed)
    sent, patient, inside = START, 0, list[int]()
    for number in range(1, messages + 1):
        sent += timedelta(seconds=chance.randint(20, 90))
        kind = chance.choice(("A01", "A01", "A04", "A08", "A08", "A02", "A03"))
        if kind in ("A01", "A04") or len(inside) < 4:
            patient += 1
            inside.append(patient)
            kind = kind if kind in ("A01", "A04") else "A01"
            yield message(kind, sent, number, patient, patient_class="E" if kind == "A04" else "I")
            continue
        one = chance.choice(inside)
        if kind == "A03":
            inside.remove(one)
        yield message(kind, sent, number, one, disposition="01" if kind == "A03" else "")
