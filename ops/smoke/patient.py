"""The registry's smoke entries: one invented patient and one provider for each run, removed after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambdas.lookup_identities.registry.items import Item, items
from lambdas.lookup_identities.smoke import AUTHORITY, SIMULATOR
from ops.deployment import Deployment
from ops.master_data import registry
from ops.master_data.audit import audit_change

ADDRESS = f"success@{SIMULATOR}"
"""SES accepts a mail to it, sends it nowhere and reports a delivery, in the sandbox too."""


@contextmanager
def registered(deployment: Deployment, run: str, who: str) -> Iterator[None]:
    """Writes the entries of a run, and removes them at the end, also after an interruption."""
    entries = entries_of(run)
    table = deployment.output("RegistryTable")
    audit_change(deployment.context, who, "SMOKE_REGISTERED", {"items": len(entries)})
    try:
        registry.write(deployment.context, table, entries, lambda: None)
        yield
    finally:
        registry.remove(deployment.context, table, entries)


def entries_of(run: str) -> list[Item]:
    """The registry's items of a run. Every key begins with a part that only smoke entries have.

    `identifier#ENS-SMOKE#…`, `patient#ens-smoke-…`, `provider#ens-smoke-…`: a role can be limited to
    them by `dynamodb:LeadingKeys`.
    """
    name = f"ens-smoke-{run.lower()}"
    return items(
        [
            {
                "patient_id": name,
                "family": "Smoke",
                "given": "Test",
                "birth_date": "1970-01-01",
                "sex": "U",
            }
        ],
        [{"authority": AUTHORITY, "value": run, "patient_id": name, "provider_id": ""}],
        [
            {
                "provider_id": name,
                "prefix": "",
                "given": "Smoke",
                "family": "Test",
                "npi": "",
                "email": ADDRESS,
                "active": "yes",
            }
        ],
        [
            {
                "patient_id": name,
                "provider_id": name,
                "relationship": "primary_care",
                "active": "yes",
            }
        ],
    )
