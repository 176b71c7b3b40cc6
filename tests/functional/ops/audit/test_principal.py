"""The actor of the audit is the AWS principal that is signed in."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.sending.pause import SWITCH
from ops.audit.principal import name, name_of_actor
from tests.support.deployment import ME

Ens = Callable[..., Result]
ROLE = "arn:aws:sts::123456789012:assumed-role"


@pytest.mark.parametrize(
    ("arn", "shown"),
    [
        # The examples of the IAM user guide, "IAM identifiers", and of STS GetCallerIdentity.
        (f"{ROLE}/hl7-ens-prod-operator/ana", "ana (hl7-ens-prod-operator)"),
        (f"{ROLE}/Accounting-Role/Mary@example.com", "Mary@example.com (Accounting-Role)"),
        ("arn:aws:iam::123456789012:user/division_abc/JohnDoe", "JohnDoe"),
        ("arn:aws:sts::123456789012:federated-user/Susan", "Susan"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("R. Tester", "R. Tester"),
    ],
)
def test_a_principal_is_shown_by_session_and_role(arn: str, shown: str) -> None:
    assert name(arn) == shown
    assert name_of_actor(f"operator:{arn}") == shown


def test_a_function_is_no_person() -> None:
    assert name_of_actor("lambda:ParseMessage") == name_of_actor("workflow") == ""


def test_nobody_names_another_person(ens: Ens) -> None:
    for command in (
        ("deliveries", "pause"),
        ("deliveries", "resend", "d1"),
        ("dlq", "redrive", "--all"),
        ("replay", "e1"),
        ("roster", "end", "dr-chen"),
        ("smoke",),
    ):
        result = ens(*command, "--by", "somebody else")
        assert (result.exit_code, "No such option" in result.output) == (2, True), command


def test_the_session_of_a_role_is_in_the_audit_with_role_and_account(
    context: LedgerContext, ens: Ens, aws: Any
) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="hl7-ens-dev-operator", AssumeRolePolicyDocument="{}")
    role = "arn:aws:iam::123456789012:role/hl7-ens-dev-operator"
    keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="ana")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    with patch.object(boto3, "client", session.client):
        assert ens("deliveries", "pause").exit_code == 0
    (entry,) = chain.entries(context, SWITCH)
    assert entry["actor"] == f"operator:{ROLE}/hl7-ens-dev-operator/ana"
    assert "AccessKey" not in str(entry)
    assert "Paused by ana (hl7-ens-dev-operator)" in ens("deliveries", "held").output


def test_sts_is_asked_once_for_a_command(ens: Ens) -> None:
    with patch("ops.session.signed_in", return_value=ME) as asked:
        assert ens("dlq", "redrive", "--all").exit_code == 0
    assert asked.call_count == 1


def test_without_an_answer_of_sts_nothing_is_done(context: LedgerContext, ens: Ens) -> None:
    unreachable = EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")
    with patch("ops.audit.principal.boto3") as sdk:
        sts = sdk.client.return_value
        sts.get_caller_identity.side_effect = unreachable
        sts.meta.endpoint_url = "https://sts.us-east-1.amazonaws.com"
        result = ens("deliveries", "pause")
    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "AWS STS did not answer (EndpointConnectionError)" in said
    assert "must reach https://sts.us-east-1.amazonaws.com" in said
    assert "Paused" not in ens("deliveries", "held").output
    assert chain.entries(context, SWITCH) == []
