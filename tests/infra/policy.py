"""Resource policies of a template, decided as AWS decides them.

Source: IAM user guide, "Policy evaluation logic" (an explicit Deny wins, no Allow means no) and
"IAM JSON policy elements: Condition operators" (a key that the request lacks does not match; `Null`
says whether the request may have the key).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.template import Template, listed

ACCOUNT, REGION = "123456789012", "us-east-1"


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One call that an AWS service, or a role (`<ReceiverRole.Arn>`), makes on a resource of ours."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def over_tls(request: ServiceCall) -> dict[str, str]:
    """The request's context over TLS 1.2, as every AWS service calls."""
    return {"aws:SecureTransport": "true", "s3:TlsVersion": "1.2", **request.context}


def allowed(document: Any, request: ServiceCall, *, tls: bool = True) -> bool:
    """Whether a resource policy lets this principal make this call."""
    context = over_tls(request) if tls else {**request.context, "aws:SecureTransport": "false"}
    return _effects(document, request, context) == {"Allow"}


def denied(document: Any, request: ServiceCall) -> bool:
    """Whether a resource policy denies this call, whatever the role's own policies allow."""
    return "Deny" in _effects(document, request, over_tls(request))


def policies(template: Template, resource_type: str, attribute: str, logical_id: str) -> Any:
    """The one policy document of a queue, topic or bucket; with no statements where there is none."""
    found = [
        policy["Properties"]["PolicyDocument"]
        for policy in template.of_type(resource_type).values()
        if {"Ref": logical_id} in listed(policy["Properties"][attribute])
    ]
    # CloudFormation lets two policy resources overwrite each other.
    assert len(found) <= 1, f"{logical_id} has two policies"
    return found[0] if found else {"Statement": []}


def resolved(value: Any) -> str:
    """A template's value as text in the account 123456789012; `<Id>` and `<Id.Arn>` for resources."""
    match value:
        case str():
            return value
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Ref": "AWS::Region"}:
            return REGION
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(resolved(part) for part in parts)
        case {"Fn::ImportValue": name}:
            # CDK's exports end with the logical id and the attribute of the resource.
            return f"<import {name}>"
        case _:
            return str(value)


def _effects(document: Any, request: ServiceCall, context: Mapping[str, str]) -> set[str]:
    return {
        statement["Effect"]
        for statement in document["Statement"]
        if _applies(statement, request, context)
    }


def _applies(
    statement: Mapping[str, Any], request: ServiceCall, context: Mapping[str, str]
) -> bool:
    written = statement["Principal"]
    principals = [written] if written == "*" else [p for of in written.values() for p in listed(of)]
    return (
        any(resolved(p) in ("*", request.principal) for p in principals)
        and any(_like(request.action.lower(), a.lower()) for a in listed(statement["Action"]))
        and any(_like(request.resource, resolved(r)) for r in listed(statement["Resource"]))
        and all(
            _holds(operator, context.get(key), [resolved(v) for v in listed(wanted)])
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, have: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return wanted == [str(have is None).lower()]
    return have is not None and any(OPERATORS[operator](have, want) for want in wanted)


def _like(text: str, pattern: str) -> bool:
    # In a policy only * and ? are wildcards.
    return fnmatchcase(text, re.sub(r"\[", "[[]", pattern))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda have, want: have == want,
    "StringLike": _like,
    "ArnLike": _like,
    "ArnEquals": _like,
    "Bool": lambda have, want: have.lower() == want.lower(),
    "NumericLessThan": lambda have, want: float(have) < float(want),
}
