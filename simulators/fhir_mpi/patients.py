"""The registry's patients as FHIR resources, with the searches of PIXm, PDQm and `$match`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.lookup_identities.matching.demographics import same_name
from simulators.pix_manager.people import REGION, KnownAuthority, SimulatedPatients

Document = dict[str, Any]

GENDERS = {"F": "female", "M": "male", "O": "other", "U": "unknown"}
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


class BadTokenError(Exception):
    """Raised for a token with more than one value, or none."""


class UnknownDomainError(Exception):
    """Raised for a search with a system that is not a domain of the MPI."""


def token_parts(token: str) -> tuple[str, str]:
    r"""Returns system and value of a search token. `\` escapes `|`, `,`, `$` and itself (FHIR R4 "Search")."""
    found = re.fullmatch(r"((?:[^\\|]|\\.)*)\|((?:[^\\|,$]|\\.)*)", token)
    if found is None:
        raise BadTokenError
    system, value = (re.sub(r"\\(.)", r"\1", part) for part in found.groups())
    return system, value


def system_of(domain: KnownAuthority) -> str:
    """Returns the system of a domain: its OID, or a URL made of its name."""
    if domain.universal_id:
        return f"urn:oid:{domain.universal_id}"
    return f"https://mpi.example/{domain.namespace}"


class Patients:
    """The patients of `people`."""

    def __init__(self, people: SimulatedPatients) -> None:
        self._people = people
        self._domains = {system_of(domain): domain for domain in people.domains}

    def knows(self, system: str) -> bool:
        """Whether a system is a domain of the MPI."""
        return system in self._domains

    def cross_referenced(
        self, system: str, value: str, targets: Sequence[str]
    ) -> list[Document] | None:
        """Returns the other identifiers of this identifier's patient, None if there is none (ITI-83)."""
        bearers = self._people.bearing(self._domains[system], value)
        if not bearers:
            return None
        return [
            identifier
            for patient_id in bearers
            for identifier in self._identifiers(patient_id)
            if (identifier["system"], identifier["value"]) != (system, value)
            and (not targets or identifier["system"] in targets)
        ]

    def search(self, asked: Mapping[str, str]) -> list[Document]:
        """Returns the patients of an ITI-78 search. Raises `UnknownDomainError` for an unknown identifier system."""
        found = list(self._people.patients)
        if "identifier" in asked:
            system, value = token_parts(asked["identifier"])
            if not self.knows(system):
                raise UnknownDomainError
            found = self._people.bearing(self._domains[system], value)
        resources = [resource for known in found if (resource := self.read(known))]
        return [r for r in resources if self._fits(r, asked)]

    def read(self, patient_id: str) -> Document | None:
        """Returns a Patient resource. A merged patient is inactive and links to the surviving one."""
        row = self._people.patients.get(patient_id)
        if row is None:
            return None
        names: list[Document] = [{"use": "official", "family": row["family"]}]
        if row["given"]:
            names[0]["given"] = [row["given"]]
        names += [{"use": "maiden", "family": n} for n in self._people.former_families(row)]
        survivor = self._people.survivor(patient_id)["patient_id"]
        link = {"type": "replaced-by", "other": {"reference": f"Patient/{survivor}"}}
        return {
            "resourceType": "Patient",
            "id": patient_id,
            "active": survivor == patient_id,
            "identifier": self._identifiers(patient_id),
            "name": names,
            **({"birthDate": row["birth_date"]} if row["birth_date"] else {}),
            **({"gender": GENDERS[row["sex"]]} if row["sex"] else {}),
            **({"link": [link]} if survivor != patient_id else {}),
        }

    def match(self, wanted: Document, only_certain: bool) -> list[Document]:
        """Returns the entries of `$match`, best first; `certain` needs a matching identifier and demographics."""
        pairs = {(i.get("system"), i.get("value")) for i in wanted.get("identifier", ())}
        found = []
        for patient_id in self._people.patients:
            resource = self.read(patient_id)
            if resource is None:
                continue
            own = {(i["system"], i["value"]) for i in resource["identifier"]}
            fits = _demographics_fit(wanted, resource)
            if pairs & own or fits:
                grade = "certain" if pairs & own and fits else "possible"
                found.append(_graded(resource, grade))
        certain = [e for e in found if e["search"]["score"] == 1.0]
        if only_certain:
            return certain if len(certain) == 1 else []
        return sorted(found, key=lambda entry: -entry["search"]["score"])

    def _identifiers(self, patient_id: str) -> list[Document]:
        return [
            {"system": system_of(domain), "value": value}
            for domain, value in self._people.identifiers(patient_id)
        ]

    def _fits(self, resource: Document, asked: Mapping[str, str]) -> bool:
        name = resource["name"][0]
        return all(
            (
                same_name(name["family"], asked.get("family", name["family"])),
                resource.get("birthDate", "") == asked.get("birthdate", resource.get("birthDate")),
                resource.get("gender") == asked.get("gender", resource.get("gender")),
            )
        )


def region_system(people: SimulatedPatients) -> str:
    """Returns the system of the registry's own patient ids."""
    return next(system_of(domain) for domain in people.domains if domain.namespace == REGION)


def _demographics_fit(wanted: Document, resource: Document) -> bool:
    names = [n.get("family", "") for n in wanted.get("name", ())]
    return any(same_name(n, resource["name"][0]["family"]) for n in names) and wanted.get(
        "birthDate"
    ) == resource.get("birthDate")


def _graded(resource: Document, grade: str) -> Document:
    score = 1.0 if grade == "certain" else 0.6
    extension = [{"url": GRADE, "valueCode": grade}]
    return {
        "resource": resource,
        "search": {"mode": "match", "score": score, "extension": extension},
    }
