"""Invented patients: their rows in the registry, and an admission of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import SAMPLES


@dataclass(frozen=True, slots=True)
class NumberedPatient:
    """A patient who differs from the one of samples/admission.hl7 by number."""

    number: int

    @property
    def identifier(self) -> str:
        """The medical record number at the sender."""
        return f"B{self.number:05}"

    def admission(self) -> bytes:
        """samples/admission.hl7 with the numbers of this patient, and a note of its own."""
        message = (SAMPLES / "admission.hl7").read_bytes()
        for old, new in (
            (b"NG-20261123-000731", f"BENCH-{self.number:06}".encode()),
            (b"H00412", self.identifier.encode()),
            (b"V884213", f"V{self.number:06}".encode()),
            (b"0077120", f"A{self.number:06}".encode()),
            (b"since 3 a.m.", f"since {self.number} minutes".encode()),
        ):
            assert old in message
            message = message.replace(old, new)
        return message


def patients(number: int) -> Iterator[NumberedPatient]:
    """So many patients."""
    return map(NumberedPatient, range(1, number + 1))


def write_registry(folder: Path, people: list[NumberedPatient]) -> None:
    """Writes the four files of a registry in which each patient has the same physician."""
    folder.mkdir()
    physician = "dr-bench,Dr,Ines,Barros,1777777776,barros@provider.example,yes"
    for name, lines in {
        "patients": [
            "patient_id,family,given,birth_date,sex",
            *(f"b-{p.number},Okafor,Amara,1958-02-14,F" for p in people),
        ],
        "identifiers": [
            "authority,value,patient_id",
            *(f"NORTHGEN,{p.identifier},b-{p.number}" for p in people),
        ],
        "providers": ["provider_id,prefix,given,family,npi,email,active", physician],
        "relationships": [
            "patient_id,provider_id,relationship,active",
            *(f"b-{p.number},dr-bench,primary_care,yes" for p in people),
        ],
    }.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
