"""`make contracts`: writes the JSON Schema of every document that is stored or sent to docs/contracts/.

The schemas are JSON Schema 2020-12, made of the classes' fields and docstrings.
https://jcristharif.com/msgspec/jsonschema.html
"""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.contracts.workflow.status import StatusItem
from lambdas.delivery.ledger import items

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

CONTRACTS: dict[str, type[Any]] = {
    "queue-message": Envelope,
    "event": PatientEvent,
    "identities": Identities,
    "clinical": ClinicalFindings,
    "status": StatusItem,
    "audit-entry": AuditEntry,
    "ledger-delivery": items.DeliveryItem,
    "ledger-address-problem": items.AddressProblem,
    "ledger-switch": items.Switch,
    "ledger-mail-account": items.MailAccount,
    "ledger-encounter": items.EncounterRecord,
}
"""The class of each document by the name of its schema."""


def schema_of(contract: type[Any]) -> str:
    """Returns the JSON Schema of a class as text."""
    schema: dict[str, Any] = {"$schema": DIALECT, **msgspec.json.schema(contract)}
    for definition in schema["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def file_of(name: str) -> Path:
    """The schema's file."""
    return FOLDER / f"{name}.schema.json"


def main() -> None:
    """Writes every schema."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, contract in CONTRACTS.items():
        file_of(name).write_text(schema_of(contract), "utf-8")


if __name__ == "__main__":
    main()
