"""Authorises requests: moto's evaluation of IAM policies, for every request with a role's credentials.

A request signed with plain keys is the developer's and passes. The actions that a call needs come from
infra/reference/table.json, which the tests of the templates use too: an API call that it does not know
is denied. moto leaves the resource at `*` for most services, so that a policy naming a table would never
match; here each request names what it touches, and an action on another resource is denied. moto leaves
conditions aside too; here `dynamodb:LeadingKeys` is read, which limits a statement to partition keys.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from moto.cloudformation.models import cloudformation_backends
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError as QueryAccessDeniedError
from moto.core.responses import BaseResponse
from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import IAMPolicy, PermissionResult, create_access_key
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3AccessDeniedError
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from werkzeug.exceptions import HTTPException

from infra.reference.table import UnknownCallError, reference
from local.patches.patching import replace

LEADING_KEYS = "dynamodb:LeadingKeys"
COMPARED: dict[str, Callable[[str, str], bool]] = {
    "ForAllValues:StringEquals": str.__eq__,
    "ForAllValues:StringLike": fnmatchcase,
}
"""The operators that a condition on partition keys may have, with their comparison of one key."""

MAX_DECISIONS = 2000
EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


class RequiredAction(NamedTuple):
    """An action (`dynamodb:PutItem`), the ARN that it is done to, and the partition keys it names."""

    action: str
    arn: str
    leading_keys: frozenset[str] = frozenset()


# moto starts the pipe's executions by the asynchronous call; the pipe itself makes the synchronous one.
STANDS_FOR = {("stepfunctions", "StartExecution"): "StartSyncExecution"}


class AccessDeniedError(HTTPException):
    """The refusal as services with a JSON protocol answer it; moto's own is IAM's XML."""

    code = 403

    def __init__(self, sentence: str) -> None:
        super().__init__(json.dumps({"__type": "AccessDeniedException", "message": sentence}))


def _refusal(request: BaseResponse, caller_arn: str, action: str, why: str) -> Exception:
    """The refusal in the protocol of the request: S3's XML, the query protocol's XML, or JSON."""
    if action.startswith("s3:"):
        return S3AccessDeniedError()
    if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return QueryAccessDeniedError(caller_arn, f"{action} {why}")
    return AccessDeniedError(f"User: {caller_arn} is not authorized to perform: {action} {why}")


def install() -> None:
    """Puts this in place of moto's own check, for all services of this process's moto."""
    replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", _authorise)


def _authorise(request: BaseResponse, _: type, resource: str = "*") -> None:
    """Raises the service's own AccessDenied unless the caller's role allows each action of the request."""
    if "X-Amz-Security-Token" not in request.headers:
        return
    caller = create_access_key(
        account_id=request.current_account,
        partition=request.partition,
        access_key_id=_credential(request)[0],
        headers=request.headers,
    )
    policies = _policies(caller.collect_policies())
    try:
        needs = list(_needs(request, resource, policies.reads_keys))
    except UnknownCallError as error:
        why = f"(the local AWS denies what it does not know: {error})"
        raise _refusal(request, caller.arn, request._get_action(), why) from None
    for need in needs:
        if not policies.permit(need):
            raise _refusal(request, caller.arn, need.action, f"on resource: {need.arn}")


class _Policies:
    """The policies of a role with a cache of their decisions: moto needs 0.5 ms to evaluate them for a request."""

    def __init__(self, policies: list[Any]) -> None:
        self.policies = (
            policies  # keeps their ids, which are the key of the cache, from being reused
        )
        self._documents = [_document(policy) for policy in policies]
        self._conditions = [
            statement["Condition"]
            for document in self._documents
            for statement in _statements(document)
            if LEADING_KEYS in json.dumps(statement.get("Condition", {}))
        ]
        self._permitted: dict[tuple[str, str, Met], bool] = {}
        self._applicable: dict[Met, list[IAMPolicy]] = {}

    @property
    def reads_keys(self) -> bool:
        """Whether the partition keys of a request matter."""
        return bool(self._conditions)

    def permit(self, need: RequiredAction) -> bool:
        """Whether they permit an action that a request needs."""
        met = tuple(_meets(condition, need.leading_keys) for condition in self._conditions)
        key = (need.action, need.arn, met)
        if key not in self._permitted:
            if len(self._permitted) == MAX_DECISIONS:
                self._permitted.clear()
            self._permitted[key] = self._decide(need, met)
        return self._permitted[key]

    def _decide(self, need: RequiredAction, met: "Met") -> bool:
        if met not in self._applicable:
            self._applicable[met] = [
                _applicable(document, need.leading_keys) for document in self._documents
            ]
        results = {
            policy.is_action_permitted(need.action, need.arn) for policy in self._applicable[met]
        }
        return PermissionResult.DENIED not in results and PermissionResult.PERMITTED in results


Met = tuple[bool, ...]
"""Whether a request meets each condition on partition keys."""

_read: dict[tuple[Any, ...], _Policies] = {}


def _policies(policies: list[Any]) -> _Policies:
    """These policies, kept from an earlier request; a policy that was changed is another object."""
    key = tuple((id(policy), getattr(policy, "default_version_id", "")) for policy in policies)
    if key not in _read:
        if len(_read) == MAX_DECISIONS:
            _read.clear()
        _read[key] = _Policies(policies)
    return _read[key]


def _document(policy: Any) -> dict[str, Any]:
    """A policy as moto keeps it: those that stand in a role's own template as documents."""
    if isinstance(policy, dict) and "Statement" in policy:
        return policy
    document: dict[str, Any] = IAMPolicy(policy)._policy_json
    return document


def _applicable(document: dict[str, Any], leading_keys: frozenset[str]) -> IAMPolicy:
    """The statements of a policy whose `dynamodb:LeadingKeys` condition, if any, the request meets."""
    kept = [
        each for each in _statements(document) if _meets(each.get("Condition", {}), leading_keys)
    ]
    return IAMPolicy(json.dumps({**document, "Statement": [_unbound(each) for each in kept]}))


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _meets(condition: dict[str, Any], leading_keys: frozenset[str]) -> bool:
    """Whether every key that a request names is among those of the condition.

    A request that names none, such as a Scan, meets it, as `ForAllValues` has it (IAM user guide,
    "Set operators for multivalued context keys"). Raises `NotImplementedError` for another operator.
    """
    for operator, keys in condition.items():
        if LEADING_KEYS not in keys:
            continue
        if operator not in COMPARED:
            raise NotImplementedError(f"{operator} of {LEADING_KEYS} in a policy: use ForAllValues")
        patterns = keys[LEADING_KEYS]
        patterns = patterns if isinstance(patterns, list) else [patterns]
        alike = COMPARED[operator]
        if not all(any(alike(key, pattern) for pattern in patterns) for key in leading_keys):
            return False
    return True


def _unbound(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement without the condition that has been read already."""
    condition = {
        operator: keys
        for operator, keys in statement.get("Condition", {}).items()
        if set(keys) != {LEADING_KEYS}
    }
    rest = {name: value for name, value in statement.items() if name != "Condition"}
    return {**rest, "Condition": condition} if condition else rest


def _needs(request: BaseResponse, resource: str, with_keys: bool) -> Iterator[RequiredAction]:
    """The actions that a request needs, each with its resource, and with its partition keys if wanted.

    Raises `UnknownCallError`.
    """
    signed_for = _credential(request)[3]
    service = reference().service_signed(signed_for)
    operation = request._get_action()
    if service == "s3":
        # moto names the action itself, by what the request touches (moto/s3/responses.py).
        reference().action(f"s3:{operation}")
        yield RequiredAction(f"s3:{operation}", resource)
        return
    operation = STANDS_FOR.get((service, operation), operation)
    parameters = _parameters(request)
    for resources, part in _targets(service, operation, parameters, request):
        for action in _actions(service or signed_for, operation, part):
            for each in resources:
                keys = _leading_keys(part, each, request) if with_keys else frozenset()
                yield RequiredAction(action, each, keys)


def _actions(service: str, operation: str, part: dict[str, Any]) -> frozenset[str]:
    """The IAM actions of a call, or of one member of a transaction. Raises `UnknownCallError`."""
    if "TransactItems" in part:
        # The kind of the member decides; the items themselves are many and deep.
        ((kind, _),) = part["TransactItems"][0].items()
        return _actions_of_kind(service, operation, kind)
    if not _depends_on_parameters(service, operation):
        return _actions_of_kind(service, operation, "")
    return reference().actions_of(service, operation, part)


@lru_cache(maxsize=256)
def _actions_of_kind(service: str, operation: str, kind: str) -> frozenset[str]:
    shape: dict[str, Any] = {"TransactItems": [{kind: {}}]} if kind else {}
    return reference().actions_of(service, operation, shape)


@lru_cache(maxsize=256)
def _depends_on_parameters(service: str, operation: str) -> bool:
    return any(need.when for need in reference().needs(service, operation))


def _leading_keys(parameters: dict[str, Any], arn: str, request: BaseResponse) -> frozenset[str]:
    """The partition keys, as text, that a DynamoDB request names for a table or an index."""
    if ":table/" not in arn:
        return frozenset()
    name, _, index = arn.partition(":table/")[2].partition("/index/")
    table = dynamodb_backends[request.current_account][request.region].tables.get(name)
    if table is None:
        return frozenset()
    schema = table.get_index(index).schema if index else table.schema
    (key,) = (each["AttributeName"] for each in schema if each["KeyType"] == "HASH")
    return frozenset(_values_of(key, parameters))


def _values_of(key: str, parameters: dict[str, Any]) -> Iterator[str]:
    """The values of an attribute in a call's parameters, and in each member of a transaction or batch."""
    for member in parameters.get("TransactItems", []):
        for part in member.values():
            yield from _values_of(key, part)
    for batch in parameters.get("RequestItems", {}).values():
        parts = (
            [{"Key": each} for each in batch["Keys"]]  # BatchGetItem
            if isinstance(batch, dict)
            else [part for request in batch for part in request.values()]  # BatchWriteItem
        )
        for part in parts:
            yield from _values_of(key, part)
    for where in ("Key", "Item"):
        yield from map(str, parameters.get(where, {}).get(key, {}).values())
    for name, value in EQUALS.findall(parameters.get("KeyConditionExpression", "")):
        if parameters.get("ExpressionAttributeNames", {}).get(name, name) == key:
            yield from map(str, parameters["ExpressionAttributeValues"][value].values())


def _parameters(request: BaseResponse) -> dict[str, Any]:
    """The parameters in a request's JSON body, which moto has read already for some services."""
    try:
        found = request.body if isinstance(request.body, dict) else json.loads(request.body or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


Target = tuple[Iterable[str], dict[str, Any]]
"""ARNs that a call, or one part of it, is made on, and that part's parameters."""


def _targets(
    service: str, operation: str, parameters: dict[str, Any], request: BaseResponse
) -> Iterator[Target]:
    """The resource of a request to a service other than S3; `*` when it is not known."""
    match service:
        case "dynamodb":
            yield from _table_targets(parameters, request)
        case "sqs":
            queue = (request._get_param("QueueUrl") or "*").rsplit("/", 1)[-1]
            yield [_arn("sqs", queue, request)], parameters
        case "secretsmanager":
            yield [_secret(parameters.get("SecretId", "*"), request)], parameters
        case "kms":
            yield [_key(parameters.get("KeyId", "*"), request)], parameters
        case "sesv2":
            yield list(_mail(parameters, request)), parameters
        case "lambda":
            function = request.path.split("/functions/")[-1].split("/")[0].rsplit("%3A", 1)[-1]
            name = function.rsplit(":", 1)[-1]
            yield [_arn("lambda", f"function:{name}", request)], {}
        case "stepfunctions":
            yield [parameters.get("stateMachineArn", "*")], parameters
        case "logs" if "logGroupName" in parameters:
            # The suffix names all streams of the group (service authorization reference).
            yield [_arn("logs", f"log-group:{parameters['logGroupName']}:*", request)], parameters
        case "cloudformation":
            yield [_stack(request._get_param("StackName") or "*", request)], parameters
        case _:
            yield ["*"], parameters


def _table_targets(parameters: dict[str, Any], request: BaseResponse) -> Iterator[Target]:
    """The tables and indexes of a DynamoDB request: one target for each transaction member and batch table."""
    if "TransactItems" in parameters:
        for member in parameters["TransactItems"]:
            (item,) = member.values()
            yield [_table(item["TableName"], request)], {"TransactItems": [member]}
    elif "RequestItems" in parameters:
        for table, batch in parameters["RequestItems"].items():
            yield [_table(table, request)], {"RequestItems": {table: batch}}
    else:
        index = parameters.get("IndexName")
        arn = _table(parameters.get("TableName", "*"), request)
        yield [f"{arn}/index/{index}" if index else arn], parameters


def _table(name_or_arn: str, request: BaseResponse) -> str:
    tables = dynamodb_backends[request.current_account][request.region].tables
    table = tables.get(name_or_arn.rsplit("/", 1)[-1])
    return table.table_arn if table else name_or_arn


def _secret(name_or_arn: str, request: BaseResponse) -> str:
    secrets = secretsmanager_backends[request.current_account][request.region].secrets
    found = [s.arn for s in secrets.values() if name_or_arn in (s.arn, s.name)]
    return found[0] if found else name_or_arn


def _key(id_or_alias: str, request: BaseResponse) -> str:
    backend = kms_backends[request.current_account][request.region]
    key = backend.keys.get(backend.any_id_to_key_id(id_or_alias))
    return str(key.arn) if key else id_or_alias


def _stack(name: str, request: BaseResponse) -> str:
    stacks = cloudformation_backends[request.current_account][request.region].stacks
    found = [stack.stack_id for stack in stacks.values() if stack.name == name]
    return str(found[0]) if found else _arn("cloudformation", f"stack/{name}/", request)


def _mail(parameters: dict[str, Any], request: BaseResponse) -> Iterator[str]:
    """The identity that a mail comes from, the configuration set, and recipients that are identities.

    SES asks for the last where a recipient is verified itself, as in the sandbox.
    """
    identities = ses_backends[request.current_account][request.region].email_identities
    sender = parameters.get("FromEmailAddress", "*")
    address = sender.rpartition("<")[2].rstrip(">")
    identity = address if address in identities else address.rpartition("@")[2]
    yield _arn("ses", f"identity/{identity}", request)
    if parameters.get("ConfigurationSetName"):
        name = f"configuration-set/{parameters['ConfigurationSetName']}"
        yield _arn("ses", name, request)
    for recipients in parameters.get("Destination", {}).values():
        for recipient in recipients:
            for verified in (recipient, recipient.rpartition("@")[2]):
                if verified in identities:
                    yield _arn("ses", f"identity/{verified}", request)


def _arn(service: str, resource: str, request: BaseResponse) -> str:
    return (
        f"arn:{request.partition}:{service}:{request.region}:{request.current_account}:{resource}"
    )


def _credential(request: BaseResponse) -> list[str]:
    """Access key id, date, region, service and `aws4_request` from the signature's scope."""
    authorization: str = request.headers["Authorization"]
    return authorization.partition("Credential=")[2].partition(",")[0].split("/")
