"""Reads stacks and resources from a synthesised cloud assembly.

Format: AWS CDK, `aws-cdk-lib/cloud-assembly-schema`, manifest.json; templates are CloudFormation's.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STACK = "aws:cloudformation:stack"
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template; `properties` may hold unresolved intrinsic functions."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any] = field(repr=False)

    def text(self, name: str) -> str:
        """Returns a property that is a string, "" when it is missing or known at deployment only."""
        value = self.properties.get(name, "")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Assembly:
    """The stacks of one environment.

    `bootstrap_version` is the version of the bootstrap stack that they need, and
    `bootstrap_parameter` the SSM parameter that holds it.
    """

    stacks: tuple[str, ...]
    resources: tuple[Resource, ...] = field(repr=False)
    bootstrap_version: int
    bootstrap_parameter: str = BOOTSTRAP_PARAMETER

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.type in types)


def read(folder: Path) -> Assembly:
    """Returns the assembly in a folder. Raises `FileNotFoundError` when there is none."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {
        name: artifact["properties"]
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == STACK
    }
    return Assembly(
        stacks=tuple(found),
        resources=tuple(
            Resource(stack, logical_id, resource["Type"], resource.get("Properties", {}))
            for stack, properties in found.items()
            for template in [json.loads((folder / properties["templateFile"]).read_text())]
            for logical_id, resource in template["Resources"].items()
        ),
        bootstrap_version=max(p.get("requiresBootstrapStackVersion", 0) for p in found.values()),
        bootstrap_parameter=next(
            (
                p["bootstrapStackVersionSsmParameter"]
                for p in found.values()
                if "bootstrapStackVersionSsmParameter" in p
            ),
            BOOTSTRAP_PARAMETER,
        ),
    )
