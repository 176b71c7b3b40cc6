"""The AWS calls of the state machine's definition, from the `Resource` of each Task state.

Step Functions developer guide, "Integrating services": `arn:aws:states:::aws-sdk:<service>:<operation>`,
the optimised `arn:aws:states:::<service>:<operation>`, and a function's ARN.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.reference.table import reference
from tests.support.aws_calls.calls import AwsCall, UnreadableCallError

INTEGRATION = re.compile(r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\.\w+)?")
SERVICES = {"sfn": "stepfunctions"}
"""botocore's names of services that Step Functions calls otherwise."""


def tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Task state by name, those inside Map and Parallel among them."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner:
                yield from tasks(inner["States"])


def workflow_calls(definition: Path) -> frozenset[AwsCall]:
    """Every call of a definition; resources as it writes them (`${AuditTable}`).

    Raises `UnreadableCallError` for a state whose call or target cannot be told.
    """
    states = json.loads(definition.read_text("utf-8"))["States"]
    return frozenset(call for name, state in tasks(states) for call in _calls(name, state))


def _calls(name: str, state: dict[str, Any]) -> Iterator[AwsCall]:
    resource, given = state["Resource"], _plain(state.get("Parameters", {}))
    if resource.startswith("${"):
        yield AwsCall("lambda", "Invoke", "lambda:InvokeFunction", resource, name)
        return
    found = INTEGRATION.fullmatch(resource)
    if not found:
        raise UnreadableCallError(f"{name}: which call is {resource}?")
    service = SERVICES.get(found[1], found[1])
    operation = found[2][0].upper() + found[2][1:]
    if operation == "TransactWriteItems":
        for member in given["TransactItems"]:
            ((_, target),) = member.items()
            (action,) = reference().actions_of(service, operation, {"TransactItems": [member]})
            yield AwsCall(service, operation, action, target["TableName"], name)
        return
    targets = [given[key] for key in ("QueueUrl", "TableName", "FunctionName") if key in given]
    if not targets:
        raise UnreadableCallError(f"{name}: on what is {service} {operation} called?")
    for action in reference().actions_of(service, operation, given):
        yield AwsCall(service, operation, action, targets[0], name)


def _plain(value: Any) -> Any:
    """Parameters without the `.$` that marks a path in a name."""
    if isinstance(value, dict):
        return {name.removesuffix(".$"): _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
