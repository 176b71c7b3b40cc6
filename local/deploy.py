"""Deploys the synthesised core stack to the local AWS, and says what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import get_model_map

from local import resources
from local.clients import ACCOUNT, REGION, client
from local.sandbox import Function

STACK = "hl7-ens-local-core"

STUB = {"ZipFile": "# runs from its unpacked asset"}

Template = dict[str, Any]


class DeploymentError(Exception):
    """The template holds what the local AWS can neither create nor do without."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The deployed stack: its outputs by name, its functions, and the pipe as the template has it."""

    stack: str
    aws_port: int
    outputs: dict[str, str]
    functions: tuple[Function, ...]
    pipe: dict[str, Any]


def deploy(assembly: Path, port: int, mdm: str = "") -> Deployment:
    """Creates the stack of a cloud assembly in the local AWS on `port`; `mdm` names the index in use.

    Raises `DeploymentError` for a resource type that is neither creatable nor ignored.
    """
    template: Template = json.loads((assembly / f"{STACK}.template.json").read_bytes())
    if mdm:
        _say_which_index(template, mdm)
    cloudformation = client("cloudformation", port)
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(creatable(template)))
    _keep_versions(template, _physical_ids(cloudformation), port)
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return Deployment(
        stack=STACK,
        aws_port=port,
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        functions=tuple(_functions(template, assembly, port)),
        pipe=_pipe(),
    )


def creatable(template: Template) -> Template:
    """The template with a stub for each function's code.

    Functions run from their unpacked assets, so that nothing has to be zipped and uploaded.
    """
    kept = {}
    for logical_id, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind not in get_model_map():
            raise DeploymentError(
                f"{logical_id} is a {kind}: the local AWS cannot create it. Teach it in"
                " local/resources.py, or list it there as ignored, with the reason."
            )
        if kind == "AWS::Lambda::Function":
            kept[logical_id] = {**resource, "Properties": {**resource["Properties"], "Code": STUB}}
        else:
            kept[logical_id] = resource
    return {**template, "Resources": kept}


def _say_which_index(template: Template, mdm: str) -> None:
    """Tells the workflow what a run's own `ENS_MDM` says and the assembly cannot know."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionSubstitutions"]["MdmBackend"] = mdm


def _physical_ids(cloudformation: Any) -> dict[str, str]:
    made = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in made
    }


def _keep_versions(template: Template, physical_ids: dict[str, str], port: int) -> None:
    """Turns versioning on where the template has it: moto's CloudFormation makes buckets without."""
    s3 = client("s3", port)
    for logical_id, resource in template["Resources"].items():
        versioning = resource.get("Properties", {}).get("VersioningConfiguration")
        if resource["Type"] == "AWS::S3::Bucket" and versioning:
            s3.put_bucket_versioning(
                Bucket=physical_ids[logical_id], VersioningConfiguration=versioning
            )


def _functions(template: Template, assembly: Path, port: int) -> list[Function]:
    awslambda = client("lambda", port)
    found = []
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        name = resource["Properties"]["FunctionName"]
        made = awslambda.get_function_configuration(FunctionName=name)
        found.append(
            Function(
                name=name,
                arn=made["FunctionArn"],
                role_arn=made["Role"],
                handler=made["Handler"],
                asset=assembly / resource["Metadata"]["aws:asset:path"],
                timeout=float(made["Timeout"]),
                memory_mb=made["MemorySize"],
                environment=made["Environment"]["Variables"],
            )
        )
    return found


def _pipe() -> dict[str, Any]:
    made = cloudformation_backends[ACCOUNT][REGION].get_stack(STACK).resource_map
    (pipe,) = (resource for resource in map(made.get, made) if isinstance(resource, resources.Pipe))
    return pipe.properties
