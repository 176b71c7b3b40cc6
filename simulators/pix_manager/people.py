"""Who the index knows: the registry's patients, under the identifiers of every domain.

The domain `REGION` holds the registry's own patient ids. A patient who was merged keeps the old id in
it: asked for that, the index answers with the survivor.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdas.lookup_identities.registry.preference_rows import values
from lambdas.lookup_identities.registry.rows import survivor

REGION = "REGION"
DOMAINS = Path(__file__).resolve().parent / "domains.csv"


@dataclass(frozen=True, slots=True)
class KnownAuthority:
    """An assigning authority that the index knows: its namespace, and its OID where it has one."""

    namespace: str
    universal_id: str

    def hd(self) -> str:
        """The domain as HD in a component, fully qualified where it can be."""
        return f"{self.namespace}&{self.universal_id}&ISO" if self.universal_id else self.namespace


class SimulatedPatients:
    """The patients of a registry folder by identifier. `domains` is a CSV of namespace and OID."""

    def __init__(self, folder: Path, domains: Path = DOMAINS) -> None:
        self.domains = [
            KnownAuthority(row["namespace"], row["universal_id"].strip()) for row in _rows(domains)
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
        """The domain so named; None for one that is unknown, or whose parts do not belong together."""
        for domain in self.domains:
            same_name = not namespace or namespace == domain.namespace
            same_oid = not universal_id or (universal_id == domain.universal_id and kind == "ISO")
            if (namespace or universal_id) and same_name and same_oid:
                return domain
        return None

    def bearing(self, domain: KnownAuthority, value: str) -> list[str]:
        """The patients with this identifier, each as the id that was first given to them."""
        return self._ids.get((domain.namespace, value), [])

    def survivor(self, patient_id: str) -> Mapping[str, str]:
        """The row of the patient into whom this one was merged, or of this one."""
        return self.patients[survivor(patient_id, self._merged)]

    def identifiers(self, patient_id: str) -> list[tuple[KnownAuthority, str]]:
        """Every identifier of a patient, the region's first."""
        by_name = {domain.namespace: domain for domain in self.domains}
        return [
            (by_name[namespace], value)
            for (namespace, value), known in self._ids.items()
            if patient_id in known
        ]

    @staticmethod
    def former_families(row: Mapping[str, str]) -> list[str]:
        """The maiden and earlier surnames in a patient's row."""
        return values(row.get("former_families", "") or "")


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))
