"""IAM's decision about requests, as @cloud-copilot/iam-simulate makes it (conditions, trust, key policies).

It refuses a request whose action, resource type or context key AWS's service authorization reference
does not know: a misspelled action is an error here, not a refusal.
"""

import atexit
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.infra.judges.tools import HERE, NODE
from tests.infra.resolved import ACCOUNT

Document = dict[str, Any]
ALLOWED = "Allowed"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One request: by whom, which action on which ARN, and the policies that AWS would look at.

    `identity` are the principal's policies, `resource_policy` is that of the resource, if it has one.
    """

    action: str
    resource: str
    identity: Sequence[Document] = ()
    resource_policy: Document | None = None
    principal: str | dict[str, str] = f"arn:aws:iam::{ACCOUNT}:user/ana"
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def decide(requests: Sequence[AuthorizationRequest]) -> list[str]:
    """`Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied` for each request.

    Raises `ValueError` for a request that AWS does not know.
    """
    answers: list[str] = _ask({"simulations": [_simulation(request) for request in requests]})
    for request, answer in zip(requests, answers, strict=True):
        if answer.startswith("error"):
            raise ValueError(f"{request.action} on {request.resource}: {answer}")
    return answers


def faults(policies: Sequence[tuple[str, Document]]) -> list[list[str]]:
    """The faults of each policy, given with its kind: endpoint, identity, resource or trust."""
    found: list[list[str]] = _ask(
        {"policies": [{"kind": kind, "document": document} for kind, document in policies]}
    )
    return found


def _simulation(request: AuthorizationRequest) -> dict[str, Any]:
    return {
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": ACCOUNT},
            "contextVariables": dict(request.context),
        },
        "identityPolicies": [
            {"name": str(number), "policy": policy}
            for number, policy in enumerate(request.identity)
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        **({"resourcePolicy": request.resource_policy} if request.resource_policy else {}),
    }


def _ask(question: dict[str, Any]) -> list[Any]:
    evaluator = _evaluator()
    assert evaluator.stdin is not None and evaluator.stdout is not None
    evaluator.stdin.write(json.dumps(question) + "\n")
    evaluator.stdin.flush()
    answers: list[Any] = json.loads(evaluator.stdout.readline())
    return answers


@cache
def _evaluator() -> subprocess.Popen[str]:
    """The evaluator's process, one for all tests of a worker: to start it takes half a second."""
    process = subprocess.Popen(
        ["node", HERE / "evaluate.mjs", NODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process
