"""The patients of the simulated MPI: those of the registry's files, by identifier and domain.

The domain `REGION` has the registry's own patient ids. A merged patient's old id leads to the
surviving patient.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdas.registry.importing.columns import values
from lambdas.registry.importing.merges import survivor

REGION = "REGION"
DOMAINS = Path(__file__).resolve().parent / "domains.csv"


@dataclass(frozen=True, slots=True)
class KnownAuthority:
    """An assigning authority of the MPI: its namespace, and its OID or ""."""

    namespace: str
    universal_id: str

    def hd(self) -> str:
        """Returns the domain as an HD in subcomponents, with OID if it has one."""
        return f"{self.namespace}&{self.universal_id}&ISO" if self.universal_id else self.namespace


class SimulatedPatients:
    """The patients in a registry folder by identifier, and the authorities of domains.csv."""

    def __init__(self, folder: Path) -> None:
        self.domains = [
            KnownAuthority(row["namespace"], row["universal_id"].strip()) for row in _rows(DOMAINS)
        ]
        patients = _rows(folder / "patients.csv")
        self.patients = {row["patient_id"]: row for row in patients}
        self._merged = {row["patient_id"]: row.get("merged_into", "") for row in patients}
        self._ids: dict[tuple[str, str], list[str]] = {
            (REGION, patient_id): [patient_id] for patient_id in self.patients
        }
        for row in _rows(folder / "identifiers.csv"):
            domain = self.domain(row["authority"], "") or self.domain("", row["authority"])
            if row["patient_id"] and domain:
                known = self._ids.setdefault((domain.namespace, row["value"]), [])
                if row["patient_id"] not in known:
                    known.append(row["patient_id"])

    def domain(self, namespace: str, universal_id: str, kind: str = "ISO") -> KnownAuthority | None:
        """Returns the domain with this namespace and OID, None if it is unknown or they do not belong together."""
        for domain in self.domains:
            same_name = not namespace or namespace == domain.namespace
            same_oid = not universal_id or (universal_id == domain.universal_id and kind == "ISO")
            if (namespace or universal_id) and same_name and same_oid:
                return domain
        return None

    def bearing(self, domain: KnownAuthority, value: str) -> list[str]:
        """Returns the ids of the patients with this identifier; a merged patient's id is not replaced."""
        return self._ids.get((domain.namespace, value), [])

    def survivor(self, patient_id: str) -> Mapping[str, str]:
        """Returns the row of the patient into whom this one was merged, or of this one."""
        return self.patients[survivor(patient_id, self._merged)]

    def identifiers(self, patient_id: str) -> list[tuple[KnownAuthority, str]]:
        """Returns all identifiers of a patient, the region's first."""
        by_name = {domain.namespace: domain for domain in self.domains}
        return [
            (by_name[namespace], value)
            for (namespace, value), known in self._ids.items()
            if patient_id in known
        ]

    @staticmethod
    def former_families(row: Mapping[str, str]) -> list[str]:
        """Returns the maiden and former surnames in a patient's row."""
        return values(row.get("former_families", "") or "")


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))
