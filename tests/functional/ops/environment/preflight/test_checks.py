"""Each check against AWS's answers: what it finds, where, and which command mends it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.environment.preflight.assembly import Resource
from ops.environment.preflight.checks import (
    account,
    alarms,
    credentials,
    image,
    mail,
    names,
    network,
    placeholders,
    quotas,
    regions,
    stacks,
)
from ops.environment.preflight.finding import Status
from tests.functional.ops.environment.preflight.world import (
    ACCOUNT,
    only_error,
    plan,
    resource,
    statuses,
)
from tests.support.stubbed import StubbedClients

SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:tls-AbCdEf"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/deployer"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_every_example_value_is_named_by_file_and_key() -> None:
    found = {finding.where for finding in placeholders.check(plan())}
    assert found == {
        f"environments/prod.toml: {key}"
        for key in (
            *("mail.domain", "mail.from_address", "alarm_addresses[0]", "senders"),
            *("receiver.tls_secret", "receiver.server_name"),
        )
    }


@pytest.mark.parametrize(
    ("name", "status"),
    [("staging", Status.ERROR), ("prod", Status.ERROR), ("dev", Status.WARNING)],
)
def test_placeholders_stop_staging_and_prod_and_not_dev(name: str, status: Status) -> None:
    assert set(statuses(placeholders.check(plan(name=name)))) == {status}


def test_credentials_of_another_account_are_an_error() -> None:
    found = only_error(account.check(plan(account="444455556666"), CALLER))
    assert found.where == "environments/prod.toml: account"
    assert "444455556666" in found.to_do


def test_prod_without_an_account_is_a_warning() -> None:
    assert statuses(account.check(plan(), CALLER)) == [Status.WARNING, Status.OK]


@pytest.mark.parametrize(("version", "status"), [("5", Status.ERROR), ("21", Status.OK)])
def test_the_bootstrap_version_is_at_least_the_one_needed(version: str, status: Status) -> None:
    asked = {"Name": "/cdk-bootstrap/hnb659fds/version"}
    answers = StubbedClients().give(
        "ssm", "get_parameter", {"Parameter": {"Name": "n", "Value": version}}, asked
    )
    assert statuses(stacks.check_bootstrap(plan(), answers)) == [status]


def test_an_account_without_bootstrap_gets_the_command() -> None:
    answers = StubbedClients().refuse("ssm", "get_parameter", "ParameterNotFound")
    found = only_error(stacks.check_bootstrap(plan(), answers))
    assert found.to_do == "npx --no-install cdk bootstrap --app .build/preflight/prod"


def test_a_missing_service_linked_role_stops_nothing_because_make_deploy_creates_it() -> None:
    answers = StubbedClients().refuse("iam", "get_role", "NoSuchEntity")
    (found,) = stacks.check_service_roles(plan(resource("AWS::ECS::Cluster")), answers)
    assert found.status is Status.OK
    assert "does not exist yet" in found.what


def limits(total: int, unreserved: int) -> dict[str, Any]:
    return {
        "AccountLimit": {
            "ConcurrentExecutions": total,
            "UnreservedConcurrentExecutions": unreserved,
        }
    }


RESERVING = resource(
    "AWS::Lambda::Function", FunctionName="extract", ReservedConcurrentExecutions=20
)


@pytest.mark.parametrize(
    ("total", "unreserved", "held", "status"),
    [
        (10, 10, 0, Status.ERROR),
        (119, 119, 0, Status.ERROR),
        (120, 120, 0, Status.OK),
        # A second deployment: the function holds its 20 already.
        (120, 100, 20, Status.OK),
    ],
)
def test_reserved_concurrency_leaves_a_hundred_unreserved(
    total: int, unreserved: int, held: int, status: Status
) -> None:
    answers = StubbedClients().give("lambda", "get_account_settings", limits(total, unreserved))
    if held:
        answers.give("lambda", "get_function_concurrency", {"ReservedConcurrentExecutions": held})
    else:
        answers.refuse("lambda", "get_function_concurrency", "ResourceNotFoundException")
    assert statuses(quotas.check_concurrency(plan(RESERVING), answers)) == [status]


def test_a_small_account_without_reservation_is_a_warning() -> None:
    answers = StubbedClients().give("lambda", "get_account_settings", limits(10, 10))
    (found,) = quotas.check_concurrency(plan(), answers)
    assert found.status is Status.WARNING
    assert "--quota-code L-B99A9384" in found.to_do


def sending(**changes: Any) -> dict[str, Any]:
    return {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
        **changes,
    }


def test_a_healthy_mail_account_has_no_finding_to_mend() -> None:
    answers = StubbedClients().give("sesv2", "get_account", sending())
    assert statuses(mail.check_account(plan(), answers)) == [Status.OK]


@pytest.mark.parametrize(("name", "status"), [("prod", Status.ERROR), ("dev", Status.WARNING)])
def test_the_sandbox_stops_prod_alone(name: str, status: Status) -> None:
    answers = StubbedClients().give("sesv2", "get_account", sending(ProductionAccessEnabled=False))
    found = next(iter(mail.check_account(plan(name=name), answers)))
    assert found.status is status
    assert found.to_do.startswith("aws sesv2 put-account-details --production-access-enabled")


def test_a_rate_above_the_accounts_own_is_an_error() -> None:
    quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 190.0}
    answers = StubbedClients().give("sesv2", "get_account", sending(SendQuota=quota))
    found = list(mail.check_account(plan(mail__rate=14), answers))
    assert statuses(iter(found)) == [Status.ERROR, Status.WARNING, Status.OK]
    assert found[0].where == "environments/prod.toml: mail.rate"


def test_a_paused_account_is_an_error() -> None:
    state = sending(SendingEnabled=False, EnforcementStatus="SHUTDOWN")
    answers = StubbedClients().give("sesv2", "get_account", state)
    assert "SHUTDOWN" in only_error(mail.check_account(plan(), answers)).what


@pytest.mark.parametrize(("create", "status"), [(True, Status.WARNING), (False, Status.ERROR)])
@pytest.mark.parametrize("zone", [{}, {"SigningHostedZone": "dkim.eu-south-1.amazonses.com"}])
def test_dkim_that_waits_shows_its_records_and_stops_no_repeated_first_deployment(
    zone: dict[str, str], create: bool, status: Status
) -> None:
    identity = {
        "VerifiedForSendingStatus": False,
        "FeedbackForwardingStatus": False,
        "DkimAttributes": {"Status": "PENDING", "Tokens": ["abc"], **zone},
    }
    answers = StubbedClients().give("sesv2", "get_email_identity", identity)
    (found,) = mail.check_identity(plan(mail__create=create), answers)
    assert found.status is status
    shown = zone.get("SigningHostedZone", "dkim.amazonses.com")
    assert f"abc._domainkey.ens.example CNAME abc.{shown}" in found.to_do


def test_bounces_that_go_out_by_mail_are_a_warning() -> None:
    identity = {
        "VerifiedForSendingStatus": True,
        "FeedbackForwardingStatus": True,
        "DkimAttributes": {"Status": "SUCCESS"},
    }
    answers = StubbedClients().give("sesv2", "get_email_identity", identity)
    assert statuses(mail.check_identity(plan(), answers)) == [Status.OK, Status.WARNING]


@pytest.mark.parametrize(("create", "status"), [(True, Status.OK), (False, Status.ERROR)])
def test_a_missing_identity_is_an_error_where_nobody_creates_it(
    create: bool, status: Status
) -> None:
    answers = StubbedClients().refuse("sesv2", "get_email_identity", "NotFoundException")
    assert statuses(mail.check_identity(plan(mail__create=create), answers)) == [status]


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ({"DeliveryOptions": {"TlsPolicy": "REQUIRE"}}, Status.OK),
        ({"DeliveryOptions": {"TlsPolicy": "OPTIONAL"}}, Status.WARNING),
        ({"SendingOptions": {"SendingEnabled": False}}, Status.ERROR),
    ],
)
def test_a_configuration_set_that_was_changed_is_found(
    found: dict[str, Any], status: Status
) -> None:
    answers = StubbedClients().give("sesv2", "get_configuration_set", found)
    assert statuses(mail.check_configuration_set(plan(), answers)) == [status]


ZONES = {
    "AvailabilityZones": [
        {"ZoneName": "us-east-1a", "ZoneId": "use1-az4"},
        {"ZoneName": "us-east-1b", "ZoneId": "use1-az6"},
        {"ZoneName": "us-east-1c", "ZoneId": "use1-az1"},
    ]
}


def endpoint(service: str) -> Any:
    return resource(
        "AWS::EC2::VPCEndpoint",
        ServiceName=f"com.amazonaws.us-east-1.{service}",
        VpcEndpointType="Interface",
    )


def offered(service: str, *zones: str) -> dict[str, Any]:
    return {"ServiceName": f"com.amazonaws.us-east-1.{service}", "AvailabilityZones": list(zones)}


def test_an_endpoint_that_a_zone_lacks_is_named_with_zones_that_have_every_one() -> None:
    details = [
        offered("email", "us-east-1a", "us-east-1c"),
        offered("sqs", "us-east-1a", "us-east-1b", "us-east-1c"),
    ]
    answers = StubbedClients().give("ec2", "describe_availability_zones", ZONES)
    answers.give("ec2", "describe_vpc_endpoint_services", {"ServiceDetails": details})
    wanted = plan(
        endpoint("email"), endpoint("sqs"), network__availability_zones=("us-east-1a", "us-east-1b")
    )
    found = only_error(network.check_zones(wanted, answers))
    assert found.what == "com.amazonaws.us-east-1.email is not offered in us-east-1b"
    assert found.to_do.endswith("use1-az1, use1-az4")


def test_a_service_whose_endpoint_the_region_lacks_is_named() -> None:
    """EC2 API, DescribeVpcEndpointServices: an unknown name in ServiceNames is InvalidServiceName."""
    answers = StubbedClients().give("ec2", "describe_availability_zones", ZONES)
    answers.give(
        "ec2",
        "describe_vpc_endpoint_services",
        {"ServiceDetails": [offered("sqs", "us-east-1a", "us-east-1b")]},
        {
            "Filters": [
                {
                    "Name": "service-name",
                    "Values": ["com.amazonaws.us-east-1.email", "com.amazonaws.us-east-1.sqs"],
                }
            ]
        },
    )
    wanted = plan(
        endpoint("email"), endpoint("sqs"), network__availability_zones=("us-east-1a", "us-east-1b")
    )
    found = only_error(network.check_zones(wanted, answers))
    assert found.what.startswith("com.amazonaws.us-east-1.email does not exist")


def test_a_service_that_takes_no_endpoint_policy_is_named() -> None:
    """EC2 API, DescribeVpcEndpointServices, VpcEndpointPolicySupported."""
    answers = StubbedClients().give("ec2", "describe_availability_zones", ZONES)
    detail = {**offered("email", "us-east-1a"), "VpcEndpointPolicySupported": False}
    answers.give("ec2", "describe_vpc_endpoint_services", {"ServiceDetails": [detail]})
    wanted = plan(endpoint("email"), network__availability_zones=("us-east-1a",))
    found = only_error(network.check_zones(wanted, answers))
    assert found.what.startswith("com.amazonaws.us-east-1.email takes no endpoint policy")


def test_zones_may_be_given_by_id_and_a_zone_of_another_account_is_found() -> None:
    answers = StubbedClients()
    for _ in range(2):
        answers.give("ec2", "describe_availability_zones", ZONES)
        answers.give(
            "ec2",
            "describe_vpc_endpoint_services",
            {"ServiceDetails": [offered("sqs", "us-east-1a", "us-east-1b")]},
        )
    by_id = plan(endpoint("sqs"), network__availability_zones=("use1-az4", "use1-az6"))
    assert statuses(network.check_zones(by_id, answers)) == [Status.OK]
    strange = plan(endpoint("sqs"), network__availability_zones=("use1-az4", "us-east-1f"))
    assert "us-east-1f" in only_error(network.check_zones(strange, answers)).what


@pytest.mark.parametrize(
    ("in_file", "status"),
    [(("pl-1", "pl-2"), Status.OK), (("pl-1",), Status.ERROR), (("pl-1", "pl-3"), Status.ERROR)],
)
def test_prefix_lists_are_those_of_the_region(in_file: Sequence[str], status: Status) -> None:
    lists = [
        {"PrefixListName": "com.amazonaws.us-east-1.s3", "PrefixListId": "pl-1"},
        {"PrefixListName": "com.amazonaws.us-east-1.dynamodb", "PrefixListId": "pl-2"},
    ]
    answers = StubbedClients().give("ec2", "describe_managed_prefix_lists", {"PrefixLists": lists})
    wanted = plan(network__prefix_lists=tuple(in_file))
    (found,) = network.check_prefix_lists(wanted, answers)
    assert found.status is status
    assert found.status is Status.OK or found.to_do == "set prefix_lists to ['pl-1', 'pl-2']"


@pytest.mark.parametrize(
    ("region", "cost_mode", "status"),
    [
        ("ca-central-1", "full", Status.OK),
        ("eu-central-1", "full", Status.ERROR),
        ("eu-central-1", "coded", Status.ERROR),
        ("eu-central-1", "off", Status.OK),
    ],
)
def test_notes_are_read_only_in_a_region_with_comprehend_medical(
    region: str, cost_mode: str, status: Status
) -> None:
    """AWS General Reference, "Amazon Comprehend Medical endpoints and quotas"."""
    found = list(regions.check(plan(region=region, cost_mode=cost_mode)))
    assert [one.status for one in found] == [status]


@pytest.mark.parametrize(
    ("region", "service"), [("ca-west-1", "EventBridge Pipes"), ("ap-east-1", "SES")]
)
def test_a_region_without_a_service_that_every_environment_needs_is_refused(
    region: str, service: str
) -> None:
    """Pipes have no endpoint in Calgary, and CloudFormation knows no `AWS::Pipes::Pipe` there."""
    found = only_error(regions.check(plan(region=region, cost_mode="off")))
    assert found.what.startswith(f"{region} has no {service}")
    assert "ca-central-1" in found.to_do
    assert region not in found.to_do


TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:hl7-ens-prod-alarms"
CONFIRMED = f"{TOPIC}:12345678-1234-1234-1234-123456789012"


def subscriptions(*states: str) -> StubbedClients:
    """The answer about subscriptions of `0@hospital.org` and so on, with these values of `SubscriptionArn`."""
    found = [
        {"Endpoint": f"{number}@hospital.org", "Protocol": "email", "SubscriptionArn": state}
        for number, state in enumerate(states)
    ]
    return StubbedClients().give(
        "sns", "list_subscriptions_by_topic", {"Subscriptions": found}, {"TopicArn": TOPIC}
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((CONFIRMED,), [Status.OK]),
        ((CONFIRMED, "PendingConfirmation"), [Status.WARNING, Status.OK]),
        (("PendingConfirmation",), [Status.ERROR]),
        ((), [Status.ERROR]),
        # SNS shows an ended subscription for a while (ansible/ansible pull request 20086).
        (("Deleted",), [Status.ERROR]),
        (("Deleted", CONFIRMED), [Status.OK]),
    ],
)
def test_alarms_reach_at_least_one_confirmed_address(
    states: Sequence[str], expected: list[Status]
) -> None:
    found = alarms.check(plan(alarm_addresses=()), subscriptions(*states))
    assert statuses(found) == expected


@pytest.mark.parametrize(
    ("deployed", "states", "expected", "to_do"),
    [
        (True, (), Status.ERROR, f"aws sns subscribe --topic-arn {TOPIC} --protocol email"),
        (True, ("Deleted",), Status.ERROR, "aws sns subscribe"),
        (True, ("Deleted", CONFIRMED), Status.WARNING, "aws sns subscribe"),
        (False, (), Status.WARNING, "by the link in the mail"),
    ],
)
def test_an_address_that_has_no_subscription_is_named(
    deployed: bool, states: Sequence[str], expected: Status, to_do: str
) -> None:
    """Of a deployed one CloudFormation does not notice the end; a new one is made by the deployment."""
    answers = subscriptions(*states)
    answers.refuse("cloudformation", "describe_stacks", "ValidationError")
    answers.give("cloudformation", "describe_stacks", stack_in("UPDATE_COMPLETE"))
    summaries = [of_stack("AWS::SNS::Subscription")] if deployed else []
    answers.give("cloudformation", "list_stack_resources", {"StackResourceSummaries": summaries})
    answers.refuse("cloudformation", "describe_stacks", "ValidationError")
    wanted = resource("AWS::SNS::Subscription", Endpoint="0@hospital.org")
    found, *_ = alarms.check(plan(wanted, alarm_addresses=("0@hospital.org",)), answers)
    assert found.status is expected
    assert "0@hospital.org" in found.what
    assert to_do in found.to_do


@pytest.mark.parametrize(
    ("topic", "expected", "what"),
    [
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:on-call", Status.ERROR, "does not exist"),
        (f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call", Status.ERROR, "is in eu-west-1"),
        # Nobody outside its account may read it, so that no call is made.
        ("arn:aws:sns:us-east-1:444455556666:on-call", Status.WARNING, "account 444455556666's"),
    ],
)
def test_a_topic_of_the_settings_is_one_that_alarms_can_use(
    topic: str, expected: Status, what: str
) -> None:
    answers = StubbedClients()
    if what == "does not exist":
        answers.refuse("sns", "get_topic_attributes", "NotFound")
    answers.refuse("sns", "list_subscriptions_by_topic", "NotFound")
    found, *_ = alarms.check(plan(alarm_topics=(topic,)), answers)
    assert found.status is expected
    assert what in found.what


def test_before_the_first_deployment_there_is_no_topic_yet() -> None:
    answers = StubbedClients().refuse("sns", "list_subscriptions_by_topic", "NotFound")
    assert statuses(alarms.check(plan(), answers)) == [Status.WARNING]


@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [
        ("ISSUED", 200, Status.OK),
        ("ISSUED", 20, Status.WARNING),
        ("PENDING_VALIDATION", 200, Status.ERROR),
        ("EXPIRED", -1, Status.ERROR),
    ],
)
def test_a_certificate_is_issued_and_valid_for_a_month(
    status: str, days: int, expected: Status
) -> None:
    certificate = {
        "Status": status,
        "NotAfter": NOW + timedelta(days=days),
        "SubjectAlternativeNames": ["hl7.hospital.org"],
    }
    answers = StubbedClients().give("acm", "describe_certificate", {"Certificate": certificate})
    wanted = plan(receiver__certificate_arn=CERTIFICATE, receiver__tls_secret="")
    assert statuses(credentials.check_certificate(wanted, answers, NOW)) == [expected]


def test_a_certificate_of_another_region_is_found_without_a_call() -> None:
    wanted = plan(
        receiver__certificate_arn=CERTIFICATE.replace("us-east-1", "eu-west-1"),
        receiver__tls_secret="",
    )
    assert "eu-west-1" in only_error(credentials.check_certificate(wanted, StubbedClients())).what


def test_a_secret_that_is_gone_or_going_is_an_error() -> None:
    wanted = plan(receiver__tls_secret=SECRET)
    answers = StubbedClients().refuse(
        "secretsmanager", "describe_secret", "ResourceNotFoundException"
    )
    answers.give("secretsmanager", "describe_secret", {"Name": "tls", "DeletedDate": NOW})
    answers.give("secretsmanager", "describe_secret", {"Name": "tls"})
    assert only_error(credentials.check_secrets(wanted, answers)).where.endswith(
        "receiver.tls_secret"
    )
    assert "restore-secret" in only_error(credentials.check_secrets(wanted, answers)).to_do
    assert statuses(credentials.check_secrets(wanted, answers)) == [Status.OK]


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"


@pytest.mark.parametrize(
    ("settings", "manager", "to_do"),
    [
        ({"receiver__tls_secret": SECRET}, "CUSTOMER", "--kms-key-id alias/aws/secretsmanager"),
        ({"mail__smime_secret": SECRET}, "CUSTOMER", f'set mail.smime_secret_key_arn = "{KEY}"'),
        # The console names AWS's own key too (Secrets Manager API, "DescribeSecret", KmsKeyId).
        ({"mail__smime_secret": SECRET}, "AWS", ""),
    ],
)
def test_a_secret_under_a_key_that_nobody_was_granted_is_an_error(
    settings: dict[str, str], manager: str, to_do: str
) -> None:
    """The receivers would not start, and their log is deleted with the failed stack."""
    answers = StubbedClients()
    answers.give("secretsmanager", "describe_secret", {"Name": "tls", "KmsKeyId": KEY})
    metadata = {"KeyId": "k", "Arn": KEY, "KeyManager": manager, "KeyState": "Enabled"}
    answers.give("kms", "describe_key", {"KeyMetadata": metadata})
    in_clear = {"receiver__tls_secret": "", "receiver__plain_text_because": "a VPN"}
    wanted = plan(**({} if "receiver__tls_secret" in settings else in_clear), **settings)
    (found,) = credentials.check_secrets(wanted, answers)
    assert found.status is (Status.ERROR if to_do else Status.OK)
    assert to_do in found.to_do


def test_a_disabled_key_of_a_secret_is_an_error() -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
    answers = StubbedClients().give(
        "kms", "describe_key", {"KeyMetadata": {"KeyId": "k", "KeyState": "Disabled"}}
    )
    found = only_error(
        credentials.check_secrets(
            plan(
                mpi__secret_key_arn=key,
                receiver__tls_secret="",
                receiver__plain_text_because="a VPN",
            ),
            answers,
        )
    )
    assert found.to_do.startswith("aws kms enable-key")


@pytest.mark.parametrize(("allowed", "status"), [(2.0, Status.ERROR), (3.0, Status.OK)])
def test_fargate_may_run_every_receiver_twice_during_a_deployment(
    allowed: float, status: Status
) -> None:
    answers = StubbedClients().give(
        "service-quotas", "get_service_quota", {"Quota": {"Value": allowed}}
    )
    task = resource("AWS::ECS::TaskDefinition", Cpu="256")
    assert statuses(quotas.check_fargate(plan(task, receiver__maximum=6), answers)) == [status]


def test_a_new_account_whose_fargate_quota_is_the_default_can_be_checked() -> None:
    """Service Quotas API, "GetServiceQuota": a quota without an applied value is not found."""
    answers = StubbedClients()
    answers.refuse("service-quotas", "get_service_quota", "NoSuchResourceException")
    answers.give("service-quotas", "get_aws_default_service_quota", {"Quota": {"Value": 6.0}})
    task = resource("AWS::ECS::TaskDefinition", Cpu="256")
    assert statuses(quotas.check_fargate(plan(task), answers)) == [Status.OK]


def stack_in(state: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "CreationTime": NOW, "StackStatus": state}]}


def of_stack(resource_type: str) -> dict[str, Any]:
    """A resource of a deployed stack, as ListStackResources has it."""
    return {
        "LogicalResourceId": resource_type.rpartition(":")[2],
        "ResourceType": resource_type,
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": NOW,
    }


@pytest.mark.parametrize(
    ("state", "status", "command"),
    [
        ("UPDATE_COMPLETE", Status.OK, ""),
        ("ROLLBACK_COMPLETE", Status.ERROR, "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", Status.ERROR, "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", Status.ERROR, "wait"),
        # CloudFormation user guide, "Stack status codes": a stack without templates or resources.
        ("REVIEW_IN_PROGRESS", Status.OK, ""),
    ],
)
def test_a_stack_that_cannot_be_updated_is_found(state: str, status: Status, command: str) -> None:
    answers = StubbedClients().give("cloudformation", "describe_stacks", stack_in(state))
    found = next(iter(stacks.check_stacks(plan(), answers)))
    assert found.status is status
    assert command in found.to_do


@pytest.mark.parametrize(
    ("name", "part", "state", "command"),
    [
        ("dev", "core", "ROLLBACK_FAILED", "make destroy ENV=dev"),
        ("dev", "core", "DELETE_FAILED", "make destroy ENV=dev"),
        ("dev", "core", "ROLLBACK_COMPLETE", "aws cloudformation delete-stack"),
        # Neither would destroy data of the stacks beside it.
        ("dev", "ingress", "ROLLBACK_FAILED", "aws cloudformation delete-stack"),
        ("prod", "core", "ROLLBACK_FAILED", "aws cloudformation delete-stack"),
    ],
)
def test_a_stack_with_a_bucket_that_cloudformation_did_not_delete_gets_the_command_that_does(
    name: str, part: str, state: str, command: str
) -> None:
    """The configuration's bucket has an object before its stack is complete."""
    answers = StubbedClients()
    for one in ("network", "core", "ingress"):
        answers.give(
            "cloudformation",
            "describe_stacks",
            stack_in(state if one == part else "CREATE_COMPLETE"),
        )
    bucket = Resource(f"hl7-ens-{name}-core", "BucketConfiguration", "AWS::S3::Bucket", {})
    found = only_error(stacks.check_stacks(plan(bucket, name=name), answers))
    assert found.to_do.startswith(command)


def test_a_table_left_by_a_deleted_stack_is_found_and_its_data_can_be_adopted() -> None:
    answers = StubbedClients()
    for _ in range(3):
        answers.refuse("cloudformation", "describe_stacks", "ValidationError")
    answers.give("dynamodb", "describe_table", {"Table": {"TableName": "hl7-ens-prod-ledger"}})
    answers.refuse("sqs", "get_queue_url", "AWS.SimpleQueueService.NonExistentQueue")
    wanted = plan(
        resource("AWS::DynamoDB::Table", TableName="hl7-ens-prod-ledger"),
        resource("AWS::SQS::Queue", QueueName="hl7-ens-prod-events.fifo"),
    )
    found = only_error(names.check(wanted, answers))
    assert "hl7-ens-prod-ledger" in found.what
    assert found.to_do.startswith("adopt it with its data: make synth ENV=prod, then npx")


@pytest.mark.parametrize(("there", "status"), [("prod", Status.ERROR), ("prod2", Status.OK)])
def test_a_backup_vault_that_a_deleted_stack_left_is_found(there: str, status: Status) -> None:
    """The vault keeps its name as long as it holds recovery points."""
    answers = StubbedClients()
    for _ in range(3):
        answers.refuse("cloudformation", "describe_stacks", "ValidationError")
    vaults = [{"BackupVaultName": "Default"}, {"BackupVaultName": f"hl7-ens-{there}"}]
    answers.give("backup", "list_backup_vaults", {"BackupVaultList": vaults})
    wanted = plan(resource("AWS::Backup::BackupVault", BackupVaultName="hl7-ens-prod"))
    (found,) = names.check(wanted, answers)
    assert found.status is status


def test_what_a_deployed_stack_owns_is_not_taken() -> None:
    answers = StubbedClients().refuse("cloudformation", "describe_stacks", "ValidationError")
    answers.give("cloudformation", "describe_stacks", stack_in("UPDATE_COMPLETE"))
    summaries = [of_stack("AWS::DynamoDB::Table")]
    answers.give("cloudformation", "list_stack_resources", {"StackResourceSummaries": summaries})
    answers.refuse("cloudformation", "describe_stacks", "ValidationError")
    wanted = plan(resource("AWS::DynamoDB::Table", TableName="hl7-ens-prod-ledger"))
    assert statuses(names.check(wanted, answers)) == [Status.OK]


@pytest.mark.parametrize(
    ("machine", "answers", "to_do"),
    [
        ("x86_64", {"info": "ok", "buildx": "Platforms: linux/amd64, linux/386"}, "binfmt"),
        ("x86_64", {"info": "ok"}, "buildx plugin"),
        ("x86_64", {}, "start Docker"),
        ("x86_64", {"info": "ok", "buildx": "Platforms: linux/amd64, linux/arm64"}, ""),
        ("arm64", {"info": "ok"}, ""),
    ],
)
def test_an_x86_machine_needs_emulation_for_the_arm64_image(
    machine: str, answers: dict[str, str], to_do: str
) -> None:
    wanted = plan(resource("AWS::ECS::TaskDefinition", Cpu="256"))
    (found,) = image.check(wanted, lambda command: answers.get(command[1]), machine)
    assert (found.status is Status.OK) == (not to_do)
    assert to_do in found.to_do
