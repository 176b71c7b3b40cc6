"""Who may do what: moto's reading of IAM policies, applied to every request made with a role's credentials.

A request signed with plain keys is the developer's and passes. moto leaves the resource at `*` for
most services, so that a policy naming a table would never match; here each request names what it
touches, and an action on another resource is denied.
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import BaseResponse
from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import IAMPolicy, PermissionResult, create_access_key
from moto.s3.exceptions import S3AccessDeniedError
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from werkzeug.exceptions import HTTPException

from local.patching import replace

Need = tuple[str, str]
"""An action (`dynamodb:PutItem`) and the ARN that it is done to."""

# A transaction needs the action of each of its members (AWS: "DynamoDB API permissions").
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


class AccessDeniedError(HTTPException):
    """The refusal as services with a JSON protocol answer it; moto's own is IAM's XML."""

    code = 403

    def __init__(self, caller: str, action: str, arn: str) -> None:
        sentence = f"User: {caller} is not authorized to perform: {action} on resource: {arn}"
        super().__init__(json.dumps({"__type": "AccessDeniedException", "message": sentence}))


def install() -> None:
    """Puts this in place of moto's own check, for all services of this process's moto."""
    replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", _authorise)


def _authorise(request: BaseResponse, _: type, resource: str = "*") -> None:
    """Raises the service's own AccessDenied unless the caller's role allows all that the request needs."""
    if "X-Amz-Security-Token" not in request.headers:
        return
    service = _signed_for(request)
    action = request._get_action()
    needs = (
        [(f"s3:{action}", resource)] if service == "s3" else list(_needs(service, action, request))
    )
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
            if service == "s3":
                raise S3AccessDeniedError
            raise AccessDeniedError(caller.arn, needed, arn)


def _readable(policy: Any) -> IAMPolicy:
    """moto's policy; it keeps those that stand in a role's own template as documents, which it cannot read."""
    is_document = isinstance(policy, dict) and "Statement" in policy
    return IAMPolicy(json.dumps(policy) if is_document else policy)


def _needs(service: str, action: str, request: BaseResponse) -> Iterator[Need]:
    """What a request of a service other than S3 needs; `*` where we do not know the resource."""
    read = {
        "dynamodb": _dynamodb,
        "sqs": _sqs,
        "secretsmanager": _secretsmanager,
        "ses": _ses,
        "lambda": _lambda,
        "states": _states,
    }.get(service)
    if read is None:
        yield f"{service}:{action}", "*"
    else:
        yield from read(action, request)


def _dynamodb(action: str, request: BaseResponse) -> Iterator[Need]:
    if action.startswith("Transact"):
        for member in request._get_param("TransactItems"):
            ((kind, what),) = member.items()
            yield f"dynamodb:{TRANSACTION_ACTIONS[kind]}", _table(what["TableName"], request)
    elif action.startswith("Batch"):
        for table in request._get_param("RequestItems"):
            yield f"dynamodb:{action}", _table(table, request)
    else:
        index = request._get_param("IndexName")
        arn = _table(request._get_param("TableName"), request)
        yield f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn


def _table(name_or_arn: str, request: BaseResponse) -> str:
    tables = dynamodb_backends[request.current_account][request.region].tables
    table = tables.get(name_or_arn.rsplit("/", 1)[-1])
    return table.table_arn if table else name_or_arn


def _sqs(action: str, request: BaseResponse) -> Iterator[Need]:
    queue = (request._get_param("QueueUrl") or "*").rsplit("/", 1)[-1]
    yield f"sqs:{action.removesuffix('Batch')}", _arn("sqs", queue, request)


def _secretsmanager(action: str, request: BaseResponse) -> Iterator[Need]:
    secrets = secretsmanager_backends[request.current_account][request.region].secrets
    name_or_arn = request._get_param("SecretId")
    found = [s.arn for s in secrets.values() if name_or_arn in (s.arn, s.name)]
    yield f"secretsmanager:{action}", found[0] if found else name_or_arn


def _ses(action: str, request: BaseResponse) -> Iterator[Need]:
    """Sending needs the identity it comes from and, if named, the configuration set."""
    identities = ses_backends[request.current_account][request.region].email_identities
    sender = request._get_param("FromEmailAddress") or "*"
    address = sender.rpartition("<")[2].rstrip(">")
    identity = address if address in identities else address.rpartition("@")[2]
    yield f"ses:{action}", _arn("ses", f"identity/{identity}", request)
    configuration_set = request._get_param("ConfigurationSetName")
    if configuration_set:
        yield f"ses:{action}", _arn("ses", f"configuration-set/{configuration_set}", request)


def _lambda(action: str, request: BaseResponse) -> Iterator[Need]:
    function = request.path.split("/functions/")[-1].split("/")[0].rsplit("%3A", 1)[-1]
    name = "InvokeFunction" if action == "Invoke" else action
    yield f"lambda:{name}", _arn("lambda", f"function:{function.rsplit(':', 1)[-1]}", request)


def _states(action: str, request: BaseResponse) -> Iterator[Need]:
    # moto has no StartSyncExecution: the pipe's StartExecution stands for it.
    name = "StartSyncExecution" if action == "StartExecution" else action
    yield f"states:{name}", request._get_param("stateMachineArn") or "*"


def _arn(service: str, resource: str, request: BaseResponse) -> str:
    return (
        f"arn:{request.partition}:{service}:{request.region}:{request.current_account}:{resource}"
    )


def _credential(request: BaseResponse) -> list[str]:
    """Access key id, date, region, service and `aws4_request` from the signature's scope."""
    authorization: str = request.headers["Authorization"]
    return authorization.partition("Credential=")[2].partition(",")[0].split("/")


def _signed_for(request: BaseResponse) -> str:
    return _credential(request)[3]
