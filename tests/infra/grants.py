"""Grants of synthesised roles and needs of the code, in one form: action, resource, and way (kms:ViaService).

A resource reads `<LogicalId>` with what follows: `<VaultBucket>/events/*/event.json`. The forms by which a
template names a resource (ARN, name, URL, import from another stack) are one here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from infra.reference.table import reference
from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import STEPS, Template, text
from tests.support.aws_calls.calls import AwsCall, CallFinder
from tests.support.aws_calls.program import Program
from tests.support.aws_calls.workflow import workflow_calls

# The queue message names the object that the receiver wrote (receiver/storage/store.py, `put_message`).
# The sealed head names its key, which must be one of the environment's.
FROM_INPUT = {
    "lambdas.common.aws.vault.read_message": "${ENS_VAULT_BUCKET}/events/*/message.hl7",
    "lambdas.common.audit.seal.is_sealed": "${ENS_AUDIT_SEAL_KEYS}",
}

KEY_PROPERTIES = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
}
VARIABLE = re.compile(r"\$\{(\w+)\}")
RESOURCE = re.compile(r"<(\w+)(?:\.\w+)?>")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """An action on a resource; `via` is the service through which a key may be used."""

    action: str
    resource: str
    via: str = ""


def folder_of(step: str) -> str:
    """`parse_message` of ParseMessage."""
    return re.sub("(?<!^)([A-Z])", r"_\1", step).lower()


@cache
def code_calls(principal: str) -> frozenset[AwsCall]:
    """The calls of a function (by its step's name), of the receiver, or of the workflow."""
    if principal == "Workflow":
        return workflow_calls(ROOT / "statemachine" / "patient_event.asl.json")
    if principal == "Receiver":
        return CallFinder(Program(ROOT, "receiver.__main__")).calls()
    program = Program(ROOT, f"lambdas.{folder_of(principal)}.handler")
    return CallFinder(program, FROM_INPUT).calls()


PRINCIPALS = (*STEPS, "Receiver", "Workflow")


def role_of(principal: str, core: Template) -> str:
    """The logical id of a principal's role, which stands in the core stack."""
    return core.id_of("Workflow/Role" if principal == "Workflow" else f"{principal}Role")


def granted(template: Template, role: str) -> set[Grant]:
    """All that a role is allowed, one for each action and resource."""
    return {
        Grant(action, one_form(resource), _via(statement.conditions))
        for statement in template.statements(role)
        if statement.effect == "Allow"
        for action in statement.actions
        for resource in statement.resources
    }


def needed(stacks: Stacks, principal: str) -> set[Grant]:
    """All that a principal's calls need: their actions on their resources, and the resources' keys.

    A call on something that this environment does not configure (a variable that is not set) needs none.
    """
    core, variables = stacks["core"], _variables(stacks, principal)
    found: set[Grant] = set()
    for call in code_calls(principal):
        resource = _deployed(call.resource, variables, stacks)
        if resource is None:
            continue
        found.add(Grant(call.action, resource))
        service = call.action.partition(":")[0]
        for key in _keys(core, resource):
            for action in reference().key_actions(call.service, call.operation):
                found.add(Grant(action, key, service))
    return set(without_covered(found))


def without_covered(grants: Iterable[Grant]) -> Iterator[Grant]:
    """Those that no other covers: `events/1/a` besides `events/*/a` is none."""
    every = set(grants)
    for grant in every:
        others = (other for other in every if other != grant)
        if not any(
            (other.action, other.via) == (grant.action, grant.via)
            and fnmatchcase(grant.resource, other.resource)
            for other in others
        ):
            yield grant


def one_form(resource: str) -> str:
    """A resource as `<LogicalId>…`, however the template names it."""
    return RESOURCE.sub(r"<\1>", resource.replace("<AWS::AccountId>", "<Account>"))


def _via(conditions: dict[str, Any]) -> str:
    via: str = conditions.get("StringEquals", {}).get("kms:ViaService", "")
    return re.split(r"\.", text(via), maxsplit=1)[0]


def _variables(stacks: Stacks, principal: str) -> dict[str, str]:
    """The values given to a principal, by variable or substitution."""
    core = stacks["core"]
    match principal:
        case "Workflow":
            told = core.properties("Workflow/StateMachine")["DefinitionSubstitutions"]
        case "Receiver" if "ingress" in stacks:
            task = stacks["ingress"].properties("Receiver/Task")["ContainerDefinitions"][0]
            told = {entry["Name"]: entry["Value"] for entry in task["Environment"]}
        case "Receiver":  # the local environment starts it by itself, from the stack's outputs
            outputs = core.document["Outputs"]
            names = {
                "ENS_CONFIGURATION_BUCKET": "ConfigurationBucket",
                "ENS_VAULT_BUCKET": "VaultBucket",
                "ENS_QUEUE_URL": "QueueUrl",
                "ENS_REFERENCE_KEY_SECRET": "ReferenceKeySecret",
            }
            told = {name: outputs[output]["Value"] for name, output in names.items()}
            told["ENS_CONFIGURATION_KEY"] = "configuration.json"
        case _:
            told = core.properties(principal)["Environment"]["Variables"]
    return {name: _imported(core, text(value)) for name, value in told.items()}


def _imported(core: Template, value: str) -> str:
    """The value of another stack's export, where it is one."""
    for output in core.document["Outputs"].values():
        if value == f"<{output.get('Export', {}).get('Name', '')}>":
            return text(output["Value"])
    return value


def _deployed(resource: str, variables: dict[str, str], stacks: Stacks) -> str | None:
    names = VARIABLE.findall(resource)
    if not all(variables.get(name) for name in names):
        return None
    known = one_form(VARIABLE.sub(lambda found: variables[found[1]], resource))
    if resource.startswith(("identity/", "configuration-set/")):
        kind, _, name = known.partition("/")
        # The identity is the domain of the sending address.
        name = name.rpartition("@")[2] if kind == "identity" else name
        return f"arn:aws:ses:us-east-1:{_account(stacks)}:{kind}/{name}"
    return known


def _account(stacks: Stacks) -> str:
    identity = next(
        resource
        for statement in stacks["core"].statements(stacks["core"].id_of("DeliverNotificationRole"))
        for resource in statement.resources
        if ":ses:" in resource
    )
    return one_form(identity).split(":")[4]


def _keys(core: Template, resource: str) -> list[str]:
    """The customer managed key of the store that a resource is, or is part of."""
    found = RESOURCE.match(resource)
    store = core.resources.get(found[1]) if found else None
    if store is None:
        return []
    properties = store["Properties"]
    if store["Type"] == "AWS::S3::Bucket":
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        key = rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
    else:
        key = properties
        for name in KEY_PROPERTIES.get(store["Type"], ("",)):
            key = key.get(name, {})
    return [one_form(text(key))] if key else []
