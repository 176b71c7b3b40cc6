"""A synthesised stack, read the way a reviewer would: resources by type, policies by role."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

STEPS = (
    *("ParseMessage", "TrackEncounter", "LookupIdentities"),
    *("ExtractEntities", "DeliverNotification"),
    *("RecordFeedback", "ReleaseDeliveries"),
    *("DigestAudit", "VerifyAudit"),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy, with its resources as text (`<Logical.Arn>/events/*`)."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """One stack's template."""

    name: str
    document: dict[str, Any]
    missing: list[Any] = field(default_factory=list)
    """What synth would have asked AWS for."""
    termination_protection: bool = False

    @classmethod
    def read(cls, path: Path) -> "Template":
        """The template in a file of a cloud assembly."""
        manifest = json.loads((path.parent / "manifest.json").read_text())
        name = path.name.removesuffix(".template.json")
        stack = manifest["artifacts"][name]["properties"]
        return cls(
            name,
            json.loads(path.read_text()),
            manifest.get("missing", []),
            stack.get("terminationProtection", False),
        )

    @property
    def resources(self) -> dict[str, Resource]:
        """All resources by logical id."""
        found: dict[str, Resource] = self.document["Resources"]
        return found

    def of_type(self, resource_type: str) -> dict[str, Resource]:
        """The resources of a type by logical id."""
        return {k: r for k, r in self.resources.items() if r["Type"] == resource_type}

    def properties(self, path: str) -> Resource:
        """The properties of the resource at a construct path below the stack."""
        found: Resource = self.resources[self.id_of(path)].get("Properties", {})
        return found

    def id_of(self, path: str) -> str:
        """The logical id of the resource at a construct path below the stack."""
        wanted = {f"{self.name}/{path}", f"{self.name}/{path}/Resource"}
        (found,) = (
            logical_id
            for logical_id, resource in self.resources.items()
            if resource.get("Metadata", {}).get("aws:cdk:path") in wanted
        )
        return found

    def statements(self, role: str) -> list[Statement]:
        """All that a role (by logical id) is allowed or denied by policies of this stack."""
        inline = self.resources[role].get("Properties", {}).get("Policies", [])
        documents = [policy["PolicyDocument"] for policy in inline]
        for policy in self.of_type("AWS::IAM::Policy").values():
            if {"Ref": role} in policy["Properties"]["Roles"]:
                documents.append(policy["Properties"]["PolicyDocument"])
        return [statement for document in documents for statement in read(document)]

    def allowed(self, role: str, action: str, resource: str) -> list[Statement]:
        """The statements that allow a role this action on this resource."""
        return [
            statement
            for statement in self.statements(role)
            if statement.effect == "Allow"
            and any(fnmatchcase(action, pattern) for pattern in statement.actions)
            and any(fnmatchcase(resource, pattern) for pattern in statement.resources)
        ]


def read(document: dict[str, Any]) -> Iterator[Statement]:
    """The statements of a policy document."""
    for statement in document["Statement"]:
        yield Statement(
            effect=statement["Effect"],
            actions=tuple(listed(statement.get("Action", []))),
            resources=tuple(text(r) for r in listed(statement.get("Resource", []))),
            conditions=statement.get("Condition", {}),
        )


def listed(value: Any) -> list[Any]:
    """A value as a list, as IAM takes either."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A template's value as text, with `<Logical.Attribute>` for what is known at deployment only."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
        case _:
            return json.dumps(value)
