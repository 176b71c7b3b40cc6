"""The registry's providers as an mCSD directory: a practitioner, a role and an organisation for each."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
CONNECTION_TYPES = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"


class Directory:
    """The providers of a registry folder who have a National Provider Identifier."""

    def __init__(self, folder: Path) -> None:
        self._resources: dict[str, dict[str, Document]] = {
            kind: {} for kind in ("Practitioner", "PractitionerRole", "Organization", "Endpoint")
        }
        with (folder / "providers.csv").open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["npi"]:
                    self._add(row)

    def search(self, kind: str, asked: Mapping[str, str]) -> tuple[list[Document], list[Document]]:
        """Returns the matches of an ITI-90 search and the included resources."""
        found = [r for r in self._resources[kind].values() if self._fits(r, asked)]
        included: list[Document] = []
        if asked.get("_include") == "Organization:endpoint":
            wanted = {e["reference"] for r in found for e in r.get("endpoint", ())}
            included = [
                r for r in self._resources["Endpoint"].values() if f"Endpoint/{r['id']}" in wanted
            ]
        return found, included

    def change(self, kind: str, resource_id: str, **members: Any) -> None:
        """Changes members of a resource."""
        self._resources[kind][resource_id].update(members)

    def _fits(self, resource: Document, asked: Mapping[str, str]) -> bool:
        own = {f"{i['system']}|{i['value']}" for i in resource.get("identifier", ())}
        checks = {
            "_id": {resource["id"]},
            "identifier": own,
            "practitioner": {resource.get("practitioner", {}).get("reference")},
            "organization": {resource.get("organization", {}).get("reference")},
            "status": {resource.get("status")},
            "active": {str(resource.get("active")).lower()},
        }
        return all(
            known & set(asked[name].split(",")) for name, known in checks.items() if name in asked
        )

    def _add(self, row: Mapping[str, str]) -> None:
        who, active = row["provider_id"], row["active"] != "no"
        facility = row.get("kind") == "facility"
        npi = [{"system": NPI_SYSTEM, "value": row["npi"]}]
        practice: Document = {
            "resourceType": "Organization",
            "id": f"practice-{who}",
            "active": active,
            "name": f"Practice of {row['family']}",
            **({"identifier": npi} if facility else {}),
        }
        if row["email"]:
            practice["endpoint"] = [{"reference": f"Endpoint/mail-{who}"}]
            self._resources["Endpoint"][f"mail-{who}"] = {
                "resourceType": "Endpoint",
                "id": f"mail-{who}",
                "status": "active",
                "connectionType": {"system": CONNECTION_TYPES, "code": "secure-email"},
                "payloadType": [{"text": "notification"}],
                "address": f"mailto:{row['email']}",
            }
        self._resources["Organization"][practice["id"]] = practice
        if facility:
            return
        self._resources["Practitioner"][who] = {
            "resourceType": "Practitioner",
            "id": who,
            "active": active,
            "identifier": npi,
            "name": [
                {
                    "family": row["family"],
                    **({"given": [row["given"]]} if row["given"] else {}),
                    **({"prefix": [row["prefix"]]} if row["prefix"] else {}),
                }
            ],
        }
        self._resources["PractitionerRole"][f"role-{who}"] = {
            "resourceType": "PractitionerRole",
            "id": f"role-{who}",
            "active": active,
            "practitioner": {"reference": f"Practitioner/{who}"},
            "organization": {"reference": f"Organization/{practice['id']}"},
        }
