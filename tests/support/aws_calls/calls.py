"""The AWS calls of a program: operation, IAM actions, and the resources that each is made on.

A call that cannot be read raises `UnreadableCallError`: no call is left out silently.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import botocore.session
from botocore import xform_name

from infra.reference.table import Need, reference
from tests.support.aws_calls.program import Class, Function, Program
from tests.support.aws_calls.values import Client, LocatedExpression, Scope, Values

NO_CALLS = {"close", "exceptions", "meta", "get_paginator"}
"""What a botocore client has besides operations."""


FACTORIES = {("", "client"), ("Clients", "get"), ("Context", "client")}
"""Functions that make the client of the service which they are given: their callers are looked at."""


class UnreadableCallError(AssertionError):
    """An AWS call whose service, operation, actions or resource the code does not show."""


@dataclass(frozen=True, slots=True)
class AwsCall:
    """An API call with one of the actions that it needs, and the resource that it is made on.

    `resource` is what the code names: `${ENS_AUDIT_TABLE}/index/by_day`, `*` where AWS knows none.
    """

    service: str
    operation: str
    action: str
    resource: str
    where: str


Parameters = dict[str, list[tuple[LocatedExpression, bool]]]
"""The values of a call's parameters, and whether each may be absent."""


class CallFinder:
    """Finds the calls of one program.

    `from_input` gives resources that a function gets as its input:
    `lambdas.common.aws.vault.read_message` -> `${ENS_VAULT_BUCKET}/events/*/message.hl7`.
    """

    def __init__(self, program: Program, from_input: Mapping[str, str] | None = None) -> None:
        self._values = Values(program)
        self._program = program
        self._from_input = from_input or {}

    def calls(self) -> frozenset[AwsCall]:
        """Every call of the program."""
        found: set[AwsCall] = set()
        used = {client.made for client in self._values.addresses()}
        made: set[str] = set()
        for call, frame in self._values.calls():
            if self._makes_client(call, frame):
                made |= {client.made for client in self._values.clients(call, frame)}
            for client, operation in self._operations(call, frame):
                used.add(client.made)
                if operation:
                    found |= set(self._read(client.service, operation, call, frame))
            found |= set(self._thin(call, frame))
        if made - used:
            raise UnreadableCallError(f"AWS clients are made and nothing is called: {made - used}")
        return frozenset(found)

    # botocore's clients

    def _operations(self, call: ast.Call, frame: Scope) -> Iterator[tuple[Client, str]]:
        """Client and operation of a call on an AWS client; "" for what is no operation."""
        match call.func:
            case ast.Attribute(value=value, attr=method):
                names = {method}
            case ast.Call(func=ast.Name(id="getattr"), args=[value, asked, *_]):
                names = set(self._values.texts(asked, frame))
            case _:
                return
        if not names & _methods_of_all():
            return
        clients = self._values.clients(value, frame)
        for client in clients:
            for name in names:
                yield client, self._operation(client, name, call, frame)
        if not clients and names & _distinctive() and not names & set(self._program.methods):
            raise UnreadableCallError(f"{_place(call, frame)}: on which AWS client is {names}?")

    def _makes_client(self, call: ast.Call, frame: Scope) -> bool:
        """Whether this is `boto3.client(…)`, or calls a function of ours that returns one."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("client", "create_client"):
            return (
                not frame.function
                or (frame.function.owner, frame.function.node.name) not in FACTORIES
            )
        found = self._program.symbol(call.func, frame.module)
        return isinstance(found, Function) and found.node.name == "client"

    def _operation(self, client: Client, method: str, call: ast.Call, frame: Scope) -> str:
        if method in NO_CALLS:
            return ""
        if client.operation and method == "paginate":
            method = client.operation
        operations = _methods(client.service)
        if method not in operations:
            raise UnreadableCallError(f"{_place(call, frame)}: {client.service} has no {method}")
        return operations[method]

    def _read(
        self, service: str, operation: str, call: ast.Call, frame: Scope
    ) -> Iterator[AwsCall]:
        for one in self._values.frames(frame.function) if frame.function else [frame]:
            given: Parameters = {}
            for keyword in call.keywords:
                if keyword.arg:
                    given[keyword.arg] = [(LocatedExpression(keyword.value, one), False)]
                    continue
                documents = self._values.documents(keyword.value, one)
                for document in documents:
                    for names, value, optional in self._values.members(document):
                        for name in names:
                            absent = optional or len(documents) > 1
                            given.setdefault(name, []).append((value, absent))
            yield from self._needs(service, operation, given, _place(call, frame), frame)

    # The receiver's own client (receiver/storage/aws_client/calls.py): Call(operation, method, path, headers, body)

    def _thin(self, call: ast.Call, frame: Scope) -> Iterator[AwsCall]:
        """The call in `something.<service>.call(Call(…))`."""
        match call:
            case ast.Call(
                func=ast.Attribute(attr="call", value=ast.Attribute() as sender),
                args=[ast.Call(args=[operation, _, path, *_]) as request],
            ):
                pass
            case ast.Call(func=ast.Name(id="Call")) if self._is_thin(call, frame):
                if not any(call in other.args for other, _ in self._values.calls()):
                    raise UnreadableCallError(f"{_place(call, frame)}: a Call that nothing sends")
                return
            case _:
                return
        if not self._is_thin(request, frame):
            return
        service = self._service(sender, frame)
        for one in self._values.frames(frame.function) if frame.function else [frame]:
            given = self._bucket_and_key(path, one) if service == "s3" else {}
            for body in request.args[4:]:
                for document in self._values.documents(_serialised(body, one), one):
                    for names, value, optional in self._values.members(document):
                        for name in names:
                            given.setdefault(name, []).append((value, optional))
            for name in self._values.texts(operation, one):
                yield from self._needs(service, name, given, _place(call, frame), frame)

    def _service(self, sender: ast.Attribute, frame: Scope) -> str:
        """The name in `self.configuration = Service("s3", …)`, where `….configuration` sends."""
        names = {
            name
            for end in self._values.ends(sender, frame)
            if isinstance(end.node, ast.Call) and end.node.args
            for name in self._values.texts(end.node.args[0], end.frame)
        }
        if len(names) != 1:
            raise UnreadableCallError(f"{frame.module}: which service is {ast.unparse(sender)}?")
        return names.pop()

    def _is_thin(self, call: ast.Call, frame: Scope) -> bool:
        found = self._program.symbol(call.func, frame.module)
        return isinstance(found, Class) and found.node.name == "Call"

    def _bucket_and_key(self, path: ast.expr, frame: Scope) -> Parameters:
        """Bucket and key of a path `/<bucket>/<key>`; AWS's own form `/<key>` says the same."""
        found: Parameters = {}
        for text in self._values.texts(path, frame):
            bucket, slash, key = text.lstrip("/").partition("/")
            if bucket.startswith("$") and slash:
                found.setdefault("Bucket", []).append((_constant(bucket, frame), False))
                if key:
                    found.setdefault("Key", []).append((_constant(key, frame), False))
        return found

    # From parameters to actions and resources

    def _needs(
        self, service: str, operation: str, given: Parameters, where: str, frame: Scope
    ) -> Iterator[AwsCall]:
        needs = reference().needs(service, operation)
        found: list[tuple[Need, bool]] = [
            (need, surely) for need in needs if need.when for surely in self._has(need.when, given)
        ]
        if not any(surely for _, surely in found):
            found += [(need, False) for need in needs if not need.when]
        if not found:
            raise UnreadableCallError(f"{where}: which action does {service} {operation} need?")
        for need, _ in found:
            known = self._from_input.get(frame.function.where if frame.function else "")
            resources = {known} if known else self._resources(service, given, need.when)
            if not any(reference().action(action).resources for action in need.actions):
                resources = {"*"}
            elif not resources or any(resource.startswith("*") for resource in resources):
                raise UnreadableCallError(f"{where}: on what is {service} {operation} called?")
            for action in need.actions:
                for resource in resources:
                    yield AwsCall(service, operation, action, resource, where)

    def _has(self, path: str, given: Parameters) -> Iterator[bool]:
        """For each way in which a call has what a path names: whether it always does."""
        name, _, rest = path.partition(".")
        for place, optional in given.get(name.removesuffix("[]"), ()):
            if not rest:
                yield not optional
                continue
            values = [place]
            if name.endswith("[]"):
                values = list(self._values.elements(place.node, place.frame))
            documents = [d for v in values for d in self._values.documents(v.node, v.frame)]
            if not documents:
                raise UnreadableCallError(f"{path}: the code does not show {name}")
            for document in documents:
                if self._values.member(document, rest):
                    yield not optional

    def _resources(self, service: str, given: Parameters, when: str) -> set[str]:
        match service:
            case "dynamodb":
                return self._tables(given, when)
            case "s3":
                buckets, keys = self._texts(given, "Bucket"), self._texts(given, "Key")
                return {f"{b}/{k}" for b in buckets for k in keys} if keys else buckets
            case "sesv2":
                sets = self._texts(given, "ConfigurationSetName")
                senders = self._texts(given, "FromEmailAddress")
                return {f"identity/{name}" for name in senders or {"*"}} | {
                    f"configuration-set/{name}" for name in sets
                }
            case "sqs":
                return self._texts(given, "QueueUrl")
            case "secretsmanager":
                return self._texts(given, "SecretId")
            case "kms":
                return self._texts(given, "KeyId")
            case "lambda":
                return self._texts(given, "FunctionName")
        return set()

    def _tables(self, given: Parameters, when: str) -> set[str]:
        tables = self._texts(given, "TableName")
        indexes = self._texts(given, "IndexName")
        found = {f"{t}/index/{i}" for t in tables for i in indexes} if indexes else tables
        for place, _ in given.get("RequestItems", ()):
            for document in self._values.documents(place.node, place.frame):
                found |= {name for names, _, _ in self._values.members(document) for name in names}
        kind = when.rpartition(".")[2]
        for place, _ in given.get("TransactItems", ()):
            for element in self._values.elements(place.node, place.frame):
                for document in self._values.documents(element.node, element.frame):
                    for member in self._values.member(document, kind):
                        for inner in self._values.documents(member.node, member.frame):
                            for table in self._values.member(inner, "TableName"):
                                found |= self._values.texts(table.node, table.frame)
        return found

    def _texts(self, given: Parameters, name: str) -> set[str]:
        return {
            collapsed(text)
            for place, _ in given.get(name, ())
            for text in self._values.texts(place.node, place.frame)
            if text  # "" is how the code says that nothing is configured
        }


def collapsed(pattern: str) -> str:
    """A pattern whose unknown parts beside each other are one: `rejected/*/*` is `rejected/*`."""
    return re.sub(r"\*(?:[/.#-]?\*)+", "*", pattern)


@cache
def _methods(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@cache
def _methods_of_all() -> frozenset[str]:
    services = reference().document["calls"]
    return frozenset({"paginate", *NO_CALLS, *(m for s in services for m in _methods(s))})


@cache
def _distinctive() -> frozenset[str]:
    """Method names that only an AWS client has: `put_item`, and not `query`."""
    services = reference().document["calls"]
    return frozenset(m for s in services for m in _methods(s) if "_" in m)


def _serialised(node: ast.expr, frame: Scope) -> ast.expr:
    """`document` in `json.dumps(document, …).encode()`, where a local name may stand between."""
    function = frame.function
    if isinstance(node, ast.Name) and function:
        for statement in ast.walk(function.node):
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == node.id:
                return _serialised(statement.value, frame)
    match node:
        case ast.Call(func=ast.Attribute(attr="encode", value=value)):
            return _serialised(value, frame)
        case ast.Call(func=ast.Attribute(attr="dumps"), args=[value, *_]):
            return value
    return node


def _constant(text: str, frame: Scope) -> LocatedExpression:
    return LocatedExpression(ast.Constant(text), frame)


def _place(call: ast.Call, frame: Scope) -> str:
    return f"{frame.function.where if frame.function else frame.module}:{call.lineno}"
