"""Session tokens that name their role, so that each process of the local AWS knows who calls.

moto looks a session up among those that it has begun itself, and DynamoDB runs in a process of its own
(local/aws/dynamodb_process.py).
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from moto.iam.access_control import AssumedRoleAccessKey, CreateAccessKeyFailure
from moto.sts.models import AssumedRole

from local.patches.patching import replace

_begin_session = AssumedRole.__init__


def install() -> None:
    """Changes the sessions of this process's moto; calling it again changes nothing."""
    replace(AssumedRole, "__init__", _begin)
    replace(AssumedRoleAccessKey, "__init__", _recognise)


def _begin(session: AssumedRole, *parts: Any, **named: Any) -> None:
    _begin_session(session, *parts, **named)
    told = json.dumps([session.role_arn, session.session_name])
    session.session_token = urlsafe_b64encode(told.encode()).decode()


def _recognise(
    key: AssumedRoleAccessKey,
    account_id: str,
    partition: str,
    access_key_id: str,
    headers: dict[str, str],
) -> None:
    """Fills in the key of a session. Raises `CreateAccessKeyFailure` for a token that is none of ours."""
    token = headers["X-Amz-Security-Token"]
    try:
        role_arn, session_name = json.loads(urlsafe_b64decode(token))
    except ValueError:
        raise CreateAccessKeyFailure(reason="InvalidToken") from None
    vars(key).update(
        account_id=account_id,
        partition=partition,
        _access_key_id=access_key_id,
        _secret_access_key="",
        _session_token=token,
        _owner_role_name=role_arn.rpartition("/")[2],
        _session_name=session_name,
    )
