"""A role may do what its policies say and nothing else; the developer's own keys may do anything."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import ActionAuthenticatorMixin

from local.patches.additions import authorisation

ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/audit"

As = Callable[..., Any]


@pytest.fixture(autouse=True)
def _checked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    name = "_authenticate_and_authorize_action"
    # Set to itself first, so that the end of the test puts moto's own check back.
    monkeypatch.setattr(ActionAuthenticatorMixin, name, getattr(ActionAuthenticatorMixin, name))
    authorisation.install()
    yield


@pytest.fixture
def client_allowed(aws: Any) -> As:
    """A client whose role has one statement: these actions on this resource, under this condition."""

    def make(
        service: str, actions: str | list[str], resource: str | list[str], **condition: Any
    ) -> Any:
        iam = boto3.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = iam.create_role(RoleName="step", AssumeRolePolicyDocument=trust)["Role"]
        statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resource}
        if condition:
            statement["Condition"] = condition
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="step", PolicyName="all", PolicyDocument=policy)
        assumed = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")
        keys = assumed["Credentials"]
        return boto3.client(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return make


def denied(call: Callable[[], Any]) -> bool:
    """Whether the call is refused for lack of a grant; whatever else goes wrong passes through."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDeniedException", "AccessDenied"):
            raise
        return True
    return False


def entry(key: str) -> dict[str, Any]:
    return {"event_id": {"S": key}, "sk": {"S": "1"}}


def test_a_granted_action_on_the_granted_table_passes(client_allowed: As) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:PutItem", TABLE)

    assert not denied(lambda: dynamodb.put_item(TableName="audit", Item=entry("e")))


def test_another_action_on_the_granted_table_is_denied(client_allowed: As) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:PutItem", TABLE)

    assert denied(lambda: dynamodb.get_item(TableName="audit", Key=entry("e")))


def test_the_granted_action_on_another_table_is_denied(client_allowed: As) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:PutItem", TABLE)

    assert denied(lambda: dynamodb.put_item(TableName="ledger", Item={"delivery_id": {"S": "d"}}))


def test_an_index_needs_a_grant_of_its_own(client_allowed: As) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:Query", TABLE)
    by_day = {
        "TableName": "audit",
        "KeyConditionExpression": "#d = :d",
        "ExpressionAttributeNames": {"#d": "day"},
        "ExpressionAttributeValues": {":d": {"S": "2026-11-23"}},
    }

    assert denied(lambda: dynamodb.query(**by_day, IndexName="by_day"))


@pytest.mark.parametrize(("granted", "refused"), [("PutItem", False), ("UpdateItem", True)])
def test_a_transaction_needs_the_action_of_each_member(
    client_allowed: As, granted: str, *, refused: bool
) -> None:
    dynamodb = client_allowed("dynamodb", f"dynamodb:{granted}", TABLE)
    put = {"Put": {"TableName": "audit", "Item": entry("e")}}

    assert denied(lambda: dynamodb.transact_write_items(TransactItems=[put])) is refused


def test_a_batch_that_touches_a_table_without_grant_is_denied(client_allowed: As) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:BatchGetItem", TABLE)
    key = {"delivery_id": {"S": "d"}}
    asked = {"audit": {"Keys": [entry("e")]}, "ledger": {"Keys": [key]}}

    assert denied(lambda: dynamodb.batch_get_item(RequestItems=asked))


LEADING = {"dynamodb:LeadingKeys": ["mine"]}


@pytest.mark.parametrize(("key", "refused"), [("mine", False), ("another", True)])
def test_a_batch_may_name_only_the_partition_keys_of_its_condition(
    client_allowed: As, key: str, *, refused: bool
) -> None:
    """`ForAllValues` compares each key of the request (IAM user guide, "Multivalued context keys")."""
    actions = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"]
    dynamodb = client_allowed("dynamodb", actions, TABLE, **{"ForAllValues:StringEquals": LEADING})
    read = {"audit": {"Keys": [entry("mine"), {**entry(key), "sk": {"S": "2"}}]}}
    write = {"audit": [{"PutRequest": {"Item": entry(key)}}]}

    assert denied(lambda: dynamodb.batch_get_item(RequestItems=read)) is refused
    assert denied(lambda: dynamodb.batch_write_item(RequestItems=write)) is refused


def test_a_decision_on_one_partition_key_is_none_on_another(client_allowed: As) -> None:
    condition = {"ForAllValues:StringEquals": LEADING}
    dynamodb = client_allowed("dynamodb", "dynamodb:GetItem", TABLE, **condition)

    def is_denied(key: str) -> bool:
        return denied(lambda: dynamodb.get_item(TableName="audit", Key=entry(key)))

    keys = ("mine", "another", "mine", "another", "a third")
    assert [is_denied(key) for key in keys] == [False, True, False, True, True]


@pytest.mark.parametrize(
    "operator", ["ForAllValues:StringNotEquals", "ForAnyValue:StringEquals", "StringEquals"]
)
def test_a_condition_on_partition_keys_that_is_not_evaluated_permits_nothing(
    client_allowed: As, operator: str
) -> None:
    dynamodb = client_allowed("dynamodb", "dynamodb:GetItem", TABLE, **{operator: LEADING})
    with pytest.raises(NotImplementedError, match=operator):
        dynamodb.get_item(TableName="audit", Key=entry("mine"))


def test_a_queue_is_known_by_its_url(client_allowed: As) -> None:
    urls = {name: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in "ab"}
    sqs = client_allowed("sqs", "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:a")

    assert not denied(lambda: sqs.send_message(QueueUrl=urls["a"], MessageBody="m"))
    assert denied(lambda: sqs.send_message(QueueUrl=urls["b"], MessageBody="m"))


def test_a_secret_is_known_by_its_name_and_by_its_arn(client_allowed: As) -> None:
    arn = boto3.client("secretsmanager").describe_secret(SecretId="audit-key")["ARN"]
    secrets = client_allowed("secretsmanager", "secretsmanager:GetSecretValue", arn)

    assert not denied(lambda: secrets.get_secret_value(SecretId="audit-key"))
    assert not denied(lambda: secrets.get_secret_value(SecretId=arn))
    assert denied(lambda: secrets.get_secret_value(SecretId="reference-key"))


def test_an_object_and_its_versions_need_their_own_grants(client_allowed: As) -> None:
    own = boto3.client("s3")
    version = own.put_object(Bucket="vault", Key="events/e/event.json", Body=b"{}")["VersionId"]
    own.put_object(Bucket="vault", Key="events/e/message.hl7", Body=b"MSH")
    s3 = client_allowed("s3", "s3:GetObject", "arn:aws:s3:::vault/events/*/event.json")

    def read(**what: str) -> Callable[[], Any]:
        return lambda: s3.get_object(Bucket="vault", **what)

    assert not denied(read(Key="events/e/event.json"))
    assert denied(read(Key="events/e/event.json", VersionId=version))
    assert denied(read(Key="events/e/message.hl7"))


def send_mail(ses: Any) -> Any:
    mail = b"From: notifications@ens.example\r\nTo: a@provider.example\r\n\r\ntext"
    return ses.send_email(
        FromEmailAddress="notifications@ens.example",
        Destination={"ToAddresses": ["a@provider.example"]},
        Content={"Raw": {"Data": mail}},
        ConfigurationSetName="ens-test",
    )


@pytest.mark.parametrize(("resource", "refused"), [("*", False), ("identity/ens.example", True)])
def test_a_mail_needs_the_identity_and_the_configuration_set(
    client_allowed: As, resource: str, *, refused: bool
) -> None:
    arn = f"arn:aws:ses:us-east-1:{ACCOUNT}:{resource}"
    ses = client_allowed("sesv2", "ses:SendRawEmail", arn)

    assert denied(lambda: send_mail(ses)) is refused


def test_a_mime_mail_is_refused_to_a_role_that_may_only_send_simple_mails(
    client_allowed: As,
) -> None:
    """SES v2 authorises SendEmail with raw content as ses:SendRawEmail."""
    ses = client_allowed("sesv2", "ses:SendEmail", "*")

    with pytest.raises(ClientError, match="not authorized to perform: ses:SendRawEmail"):
        send_mail(ses)


def test_a_simple_mail_is_refused_to_a_role_that_may_only_send_mime_mails(
    client_allowed: As,
) -> None:
    ses = client_allowed("sesv2", "ses:SendRawEmail", "*")
    simple = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}

    assert denied(
        lambda: ses.send_email(
            FromEmailAddress="notifications@ens.example",
            Destination={"ToAddresses": ["a@provider.example"]},
            Content={"Simple": simple},
        )
    )


@pytest.mark.parametrize("verified", ["a@provider.example", "provider.example"])
def test_a_mail_to_a_verified_identity_needs_that_identity_too(
    client_allowed: As, verified: str
) -> None:
    boto3.client("sesv2").create_email_identity(EmailIdentity=verified)
    own = [f"arn:aws:ses:us-east-1:{ACCOUNT}:{kind}" for kind in ("identity/ens.example", "conf*")]
    ses = client_allowed("sesv2", "ses:SendRawEmail", own)

    with pytest.raises(ClientError, match=f"on resource: .*:identity/{verified}"):
        send_mail(ses)


def test_a_call_that_the_reference_does_not_know_is_denied_by_name(client_allowed: As) -> None:
    events = client_allowed("events", "*", "*")

    with pytest.raises(ClientError, match="events ListRules"):
        events.list_rules()


def test_the_developer_may_do_anything(aws: Any) -> None:
    assert not denied(lambda: boto3.client("dynamodb").put_item(TableName="audit", Item=entry("e")))
