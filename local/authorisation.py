"""Who may do what: moto's reading of IAM policies, applied to every request made with a role's credentials.

A request signed with plain keys is the developer's and passes. The actions that a call needs come from
infra/reference/table.json, which the tests of the templates use too: an API call that it does not know
is denied. moto leaves the resource at `*` for most services, so that a policy naming a table would never
match; here each request names what it touches, and an action on another resource is denied.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import BaseResponse
from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import IAMPolicy, PermissionResult, create_access_key
from moto.s3.exceptions import S3AccessDeniedError
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from werkzeug.exceptions import HTTPException

from infra.reference.table import UnknownCallError, reference
from local.patching import replace

Need = tuple[str, str]
"""An action (`dynamodb:PutItem`) and the ARN that it is done to."""

# moto starts the pipe's executions by the asynchronous call; the pipe itself makes the synchronous one.
STANDS_FOR = {("stepfunctions", "StartExecution"): "StartSyncExecution"}


class AccessDeniedError(HTTPException):
    """The refusal as services with a JSON protocol answer it; moto's own is IAM's XML."""

    code = 403

    def __init__(self, sentence: str) -> None:
        super().__init__(json.dumps({"__type": "AccessDeniedException", "message": sentence}))


def install() -> None:
    """Puts this in place of moto's own check, for all services of this process's moto."""
    replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", _authorise)


def _authorise(request: BaseResponse, _: type, resource: str = "*") -> None:
    """Raises the service's own AccessDenied unless the caller's role allows all that the request needs."""
    if "X-Amz-Security-Token" not in request.headers:
        return
    try:
        needs = list(_needs(request, resource))
    except UnknownCallError as error:
        raise AccessDeniedError(f"the local AWS denies what it does not know: {error}") from None
    caller = create_access_key(
        account_id=request.current_account,
        partition=request.partition,
        access_key_id=_credential(request)[0],
        headers=request.headers,
    )
    policies = [_readable(policy) for policy in caller.collect_policies()]
    for needed, arn in needs:
        results = {policy.is_action_permitted(needed, arn) for policy in policies}
        if PermissionResult.DENIED in results or PermissionResult.PERMITTED not in results:
            if needed.startswith("s3:"):
                raise S3AccessDeniedError
            raise AccessDeniedError(
                f"User: {caller.arn} is not authorized to perform: {needed} on resource: {arn}"
            )


def _readable(policy: Any) -> IAMPolicy:
    """Moto's policy; it keeps those that stand in a role's own template as documents, which it cannot read."""
    is_document = isinstance(policy, dict) and "Statement" in policy
    return IAMPolicy(json.dumps(policy) if is_document else policy)


def _needs(request: BaseResponse, resource: str) -> Iterator[Need]:
    """The actions that a request needs, each with what it is done to. Raises `UnknownCallError`."""
    signed_for = _credential(request)[3]
    service = reference().service_signed(signed_for)
    operation = request._get_action()
    if service == "s3":
        # moto names the action itself, by what the request touches (moto/s3/responses.py).
        reference().action(f"s3:{operation}")
        yield f"s3:{operation}", resource
        return
    operation = STANDS_FOR.get((service, operation), operation)
    parameters = _parameters(request)
    for resources, part in _targets(service, operation, parameters, request):
        for action in reference().actions_of(service or signed_for, operation, part):
            for each in resources:
                yield action, each


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
    """What a request of a service other than S3 touches; `*` where we do not know the resource."""
    match service:
        case "dynamodb":
            yield from _table_targets(parameters, request)
        case "sqs":
            queue = (request._get_param("QueueUrl") or "*").rsplit("/", 1)[-1]
            yield [_arn("sqs", queue, request)], parameters
        case "secretsmanager":
            yield [_secret(parameters.get("SecretId", "*"), request)], parameters
        case "sesv2":
            yield list(_mail(parameters, request)), parameters
        case "lambda":
            function = request.path.split("/functions/")[-1].split("/")[0].rsplit("%3A", 1)[-1]
            name = function.rsplit(":", 1)[-1]
            yield [_arn("lambda", f"function:{name}", request)], {}
        case "stepfunctions":
            yield [parameters.get("stateMachineArn", "*")], parameters
        case _:
            yield ["*"], parameters


def _table_targets(parameters: dict[str, Any], request: BaseResponse) -> Iterator[Target]:
    """The tables and indexes of a DynamoDB request; one target for each member of a transaction."""
    if "TransactItems" in parameters:
        for member in parameters["TransactItems"]:
            (item,) = member.values()
            yield [_table(item["TableName"], request)], {"TransactItems": [member]}
    elif "RequestItems" in parameters:
        for table in parameters["RequestItems"]:
            yield [_table(table, request)], parameters
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
