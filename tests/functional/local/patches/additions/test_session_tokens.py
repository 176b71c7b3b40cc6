"""A session's token tells its role, also in a process that has not begun the session."""

import boto3
import pytest
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key
from moto.sts.models import sts_backends

from local.aws.clients import ACCOUNT
from local.patches.additions import session_tokens

ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/step"


def test_a_session_that_another_process_has_begun_acts_in_its_role(aws: None) -> None:
    session_tokens.install()
    keys = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="ana")["Credentials"]
    sts_backends[ACCOUNT]["aws"].assumed_roles.clear()

    caller = create_access_key(
        ACCOUNT, "aws", keys["AccessKeyId"], {"X-Amz-Security-Token": keys["SessionToken"]}
    )

    assert caller.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/step/ana"


@pytest.mark.parametrize("token", ["", "x", "bm9uZQ==", "é"])
def test_a_token_that_names_no_role_is_refused(token: str) -> None:
    session_tokens.install()

    with pytest.raises(CreateAccessKeyFailure):
        create_access_key(ACCOUNT, "aws", "ASIAEXAMPLE", {"X-Amz-Security-Token": token})
