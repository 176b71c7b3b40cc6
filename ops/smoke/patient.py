"""Writes and removes the registry's smoke entries: an invented patient and provider for each run."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambdas.common.contracts.audit import AuditAction
from lambdas.lookup_identities.smoke import AUTHORITY, SIMULATOR
from lambdas.registry.importing.changes import ItemChange
from lambdas.registry.importing.plan import items
from lambdas.registry.keys import AUTHORITIES, Item
from ops.audit.entry import audit_change
from ops.deployment import Deployment
from ops.master_data import registry

ADDRESS = f"success@{SIMULATOR}"
"""SES reports a delivery and delivers to no mailbox (Amazon SES Developer Guide, "mailbox simulator")."""


@contextmanager
def registered(deployment: Deployment, run: str, who: str) -> Iterator[None]:
    """Writes the entries of a run, and removes them at the end, also after an exception."""
    entries = entries_of(run)
    table = deployment.output("RegistryTable")
    audit_change(deployment.context, who, AuditAction.SMOKE_REGISTERED, {"items": len(entries)})
    try:
        registry.write(deployment.context, table, map(_new, entries), lambda: None)
        yield
    finally:
        registry.remove(deployment.context, table, entries)


def _new(item: Item) -> ItemChange:
    key = {name: item[name] for name in registry.KEYS}
    return ItemChange(key, {name: value for name, value in item.items() if name not in key})


def entries_of(run: str) -> list[Item]:
    """Returns the registry's items of a run.

    Their keys begin with `identifier#ENS-SMOKE#`, `patient#ens-smoke-` and `provider#ens-smoke-`. Only
    smoke entries have these, so that `dynamodb:LeadingKeys` can limit a role to them. The list of
    authorities is not theirs to change.
    """
    name = f"ens-smoke-{run.lower()}"
    made = items(
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
    return [item for item in made if item["pk"] != AUTHORITIES]
