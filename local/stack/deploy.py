"""Deploys the synthesised core stack to the local AWS, and says what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import get_model_map

from local.aws.clients import ACCOUNT, REGION, client
from local.functions.sandbox import LambdaFunction
from local.stack import resources

STACK = "hl7-ens-local-core"

STUB = {"ZipFile": "# runs from its unpacked asset"}

Template = dict[str, Any]


class DeploymentError(Exception):
    """The template holds what the local AWS can neither create nor do without."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The deployed stack: its outputs by name, its functions, and the pipe as the template has it."""

    stack: str
    aws_port: int
    outputs: dict[str, str]
    functions: tuple[LambdaFunction, ...]
    pipe: dict[str, Any]


def deploy(assembly: Path, port: int, mpi: str = "") -> DeployedStack:
    """Creates the stack of a cloud assembly in the local AWS on `port`; `mpi` names the MPI client in use.

    Raises `DeploymentError` for a resource type that is neither creatable nor ignored.
    """
    template: Template = json.loads((assembly / f"{STACK}.template.json").read_bytes())
    if mpi:
        _set_mpi_client(template, mpi)
    cloudformation = client("cloudformation", port)
    _publish_files(assembly, port)
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(creatable(template)))
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return DeployedStack(
        stack=STACK,
        aws_port=port,
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        functions=tuple(_functions(template, assembly, port)),
        pipe=_pipe(),
    )


def creatable(template: Template) -> Template:
    """The template with a stub for each function's code, and with the custom resources we play.

    Functions run from their unpacked assets, so that nothing has to be zipped and uploaded.
    """
    kept = {}
    for logical_id, resource in template["Resources"].items():
        # moto would run the function of a custom resource in Docker.
        kind = resources.PLAYED.get(resource["Type"], resource["Type"])
        if kind not in get_model_map():
            raise DeploymentError(
                f"{logical_id} is a {kind}: the local AWS cannot create it. Teach it in"
                " local/stack/resources.py, or list it there as ignored, with the reason."
            )
        if kind == "AWS::Lambda::Function":
            kept[logical_id] = {**resource, "Properties": {**resource["Properties"], "Code": STUB}}
        else:
            kept[logical_id] = {**resource, "Type": kind}
    return {**template, "Resources": kept}


def _set_mpi_client(template: Template, mpi: str) -> None:
    """Tells the workflow what a run's own `ENS_MPI` says and the assembly cannot know."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionSubstitutions"]["MpiClient"] = mpi


def _publish_files(assembly: Path, port: int) -> None:
    """Uploads the assets that are single files to the bootstrap bucket, as `cdk deploy` does."""
    s3 = client("s3", port)
    manifest = json.loads((assembly / f"{STACK}.assets.json").read_bytes())
    for asset in manifest["files"].values():
        source = assembly / asset["source"]["path"]
        for destination in asset["destinations"].values():
            if source.is_file() and not source.name.endswith(".template.json"):
                s3.create_bucket(Bucket=destination["bucketName"])
                s3.upload_file(str(source), destination["bucketName"], destination["objectKey"])


def _functions(template: Template, assembly: Path, port: int) -> list[LambdaFunction]:
    awslambda = client("lambda", port)
    found = []
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        if not resource["Properties"]["Runtime"].startswith("python"):
            continue  # the CDK's own, which serves a custom resource
        name = resource["Properties"]["FunctionName"]
        made = awslambda.get_function_configuration(FunctionName=name)
        found.append(
            LambdaFunction(
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
