"""CloudFormation's resource schemas, as cfn-lint ships them, and the physical names in a template.

Source: the schemas of the CloudFormation registry (user guide, "Resource type definition schema").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.infra.template import Template

REGION = "us-east-1"

TOP = "/properties/"


@dataclass(frozen=True, slots=True)
class PhysicalName:
    """A name that a resource takes for itself: unique for its type in an account and region."""

    stack: str
    logical_id: str
    resource_type: str
    property_name: str
    value: str

    @property
    def claim(self) -> tuple[str, str, str]:
        """The name that no second resource may have; IAM compares without case, so this does too."""
        return self.resource_type, self.property_name, self.value.casefold()


def schema(resource_type: str) -> dict[str, Any]:
    """The registry's schema of a resource type."""
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
        REGION, resource_type
    ).schema
    return found


def name_properties(resource_type: str) -> list[str]:
    """The properties by which a template names a resource of this type.

    That is the identifier, where the template may write it (not `readOnlyProperties`), and what else
    cannot change without a new resource (`createOnlyProperties`) and is called a name.
    """
    found = schema(resource_type)
    identifier = _top(found.get("primaryIdentifier", []))
    read_only = _top(found.get("readOnlyProperties", []))
    kind = resource_type.rsplit("::", 1)[1]
    names = {
        name
        for name in _top(found.get("createOnlyProperties", []))
        if name in ("Name", "Family")
        or (name.endswith("Name") and kind.endswith(name.removesuffix("Name")))
    }
    if len(identifier) == 1 and not identifier & read_only:
        names |= identifier
    return sorted(names)


def limits(resource_type: str, property_name: str) -> dict[str, Any]:
    """The schema's limits of a property's text: `pattern`, `minLength`, `maxLength`."""
    document = schema(resource_type)
    found: dict[str, Any] = document["properties"][property_name]
    reference = found.get("$ref", "").removeprefix("#/definitions/")
    return document["definitions"][reference] if reference else found


def physical_names(template: Template) -> Iterator[PhysicalName]:
    """Every name that a template writes out; a reference to another resource is no name of its own."""
    for logical_id, resource in template.resources.items():
        for name in name_properties(resource["Type"]):
            value = literal(resource.get("Properties", {}).get(name))
            if value:
                yield PhysicalName(template.name, logical_id, resource["Type"], name, value)


def literal(value: Any) -> str:
    """A text with account, region and partition filled in; "" when it refers to another resource."""
    match value:
        case str():
            return value
        case {"Ref": "AWS::AccountId"}:
            return "123456789012"
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Fn::Join": [separator, parts]}:
            texts = [literal(part) for part in parts]
            return str(separator).join(texts) if all(texts) else ""
        case _:
            return ""


def _top(pointers: list[str]) -> set[str]:
    return {p.removeprefix(TOP) for p in pointers if "/" not in p.removeprefix(TOP)}
