"""The roles for people, as IAM's evaluation logic decides: what each may do, and above all what not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from moto.events.models import EventPattern

from environments import load
from lambdas.delivery.ledger.sending.pause import SWITCH
from ops.audit.entry import REGISTRY_CHAIN
from ops.audit.looks import chain_of
from ops.smoke.patient import entries_of
from tests.infra.conftest import Stacks, stacks_of
from tests.infra.judges import tools
from tests.infra.judges.evaluator import ALLOWED, AuthorizationRequest, decide
from tests.infra.resolved import ACCOUNT, REGION, Resolved
from tests.infra.template import Template

pytestmark = pytest.mark.skipif(not tools.has_evaluator(), reason=tools.MISSING)

ROLES = ("Operator", "Auditor", "Registrar", "BreakGlass")
TABLES = ("Audit", "Status", "Ledger", "Registry", "Encounters", "MpiCache")
MESSAGE = "events/1/message.hl7"

Key = tuple[str, str]
"""A key (`Keys/Vault`) and the service that it is used through."""


@pytest.fixture(scope="module")
def prod(synthesised: Callable[[str], Stacks]) -> Resolved:
    """The stacks of prod with concrete ARNs."""
    return Resolved(synthesised("prod"))


def request(
    prod: Resolved, role: str, action: str, arn: str, context: dict[str, str | list[str]]
) -> AuthorizationRequest:
    """A request of a person in a role; a key's own policy decides together with the role's."""
    return AuthorizationRequest(
        action=action,
        resource=arn,
        identity=prod.policies("core", f"People/{role}"),
        resource_policy=prod.key_policies("core").get(arn),
        principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/hl7-ens-prod-{role.lower()}/ana",
        context=context,
    )


def may(
    prod: Resolved, role: str, *asked: tuple[str, str], **context: str | list[str]
) -> dict[tuple[str, str], bool]:
    """Whether a role may do each action on each ARN, the condition keys of the requests given."""
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    answers = decide([request(prod, role, action, arn, keys) for action, arn in asked])
    return {one: answer == ALLOWED for one, answer in zip(asked, answers, strict=True)}


def tables_where(prod: Resolved, role: str, action: str, leading: str) -> set[str]:
    """The tables on which a role may do an action under a partition key."""
    arns = {prod.arn("core", f"Tables/{name}"): name for name in TABLES}
    allowed = may(
        prod, role, *((f"dynamodb:{action}", arn) for arn in arns), dynamodb__LeadingKeys=[leading]
    )
    return {arns[arn] for (_, arn), yes in allowed.items() if yes}


def keys_where(prod: Resolved, role: str) -> set[Key]:
    """The keys that a role may decrypt with, and through which service."""
    keys = ("Vault", "Registry", "Records", "Queues", "Logs", "Alarms")
    arns = {name: prod.arn("core", f"Keys/{name}") for name in keys}
    arns["Trail"] = prod.arn("core", "DataTrail/Key")
    asked = [
        (name, service) for name in arns for service in ("s3", "dynamodb", "sqs", "secretsmanager")
    ]
    answers = decide(
        [
            request(
                prod,
                role,
                "kms:Decrypt",
                arns[name],
                {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"},
            )
            for name, service in asked
        ]
    )
    return {one for one, answer in zip(asked, answers, strict=True) if answer == ALLOWED}


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        (
            "Operator",
            {
                *(("Records", "dynamodb"), ("Queues", "sqs")),
                ("Registry", "dynamodb"),  # the items are bounded: see the smoke entries below
            },
        ),
        (
            "Auditor",
            {
                *(("Records", "dynamodb"), ("Records", "secretsmanager"), ("Trail", "s3")),
                ("Registry", "dynamodb"),  # identifiers and providers: see below
                ("Records", "s3"),  # the daily digests
            },
        ),
        (
            "Registrar",
            {("Registry", "dynamodb"), ("Records", "dynamodb"), ("Records", "secretsmanager")},
        ),
        (
            "BreakGlass",
            {("Vault", "s3"), ("Records", "dynamodb")},
        ),
    ],
)
def test_each_role_decrypts_its_own_data_and_nothing_else(
    role: str, keys: set[Key], prod: Resolved
) -> None:
    """Only break-glass access opens the vault."""
    assert keys_where(prod, role) == keys


@pytest.mark.parametrize("role", ROLES)
def test_no_role_decrypts_without_the_service_that_holds_the_data(
    role: str, prod: Resolved
) -> None:
    for key in ("Vault", "Registry", "Records", "Queues"):
        asked = ("kms:Decrypt", prod.arn("core", f"Keys/{key}"))
        assert not may(prod, role, asked)[asked]


@pytest.mark.parametrize(
    ("role", "gets", "queries", "writes"),
    [
        ("Operator", {"Audit", "Status", "Ledger"}, {"Audit"}, {"Audit"}),
        ("Auditor", {"Status"}, {"Audit"}, set()),
        ("Registrar", {"Registry"}, set(), set()),
        ("BreakGlass", {"Ledger"}, set(), set()),
    ],
)
def test_each_role_reads_and_puts_items_of_its_own_tables(
    role: str, gets: set[str], queries: set[str], writes: set[str], prod: Resolved
) -> None:
    """Indexes are granted apart: tests/functional/ops/test_roles.py asks them."""
    event = "3f2a91c4" + "0" * 24
    assert tables_where(prod, role, "GetItem", event) == gets
    assert tables_where(prod, role, "Query", event) == queries
    assert tables_where(prod, role, "PutItem", event) == writes


@pytest.mark.parametrize(
    ("role", "tables"),
    [
        ("Operator", {"Ledger"}),
        ("Auditor", set()),
        ("Registrar", {"Registry"}),
        ("BreakGlass", set()),
    ],
)
def test_updates_are_the_operators_in_the_ledger_and_the_registrars_in_the_registry(
    role: str, tables: set[str], prod: Resolved
) -> None:
    assert tables_where(prod, role, "UpdateItem", "patient#1") == tables


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["DeleteItem", "DeleteTable", "BatchWriteItem", "UpdateTable"])
def test_no_role_deletes_an_item_or_changes_a_table(role: str, action: str, prod: Resolved) -> None:
    assert tables_where(prod, role, action, "patient#1") == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", sorted({str(item["pk"]) for item in entries_of("A1B2C3")}))
def test_the_operator_alone_removes_an_entry_of_a_smoke_run_from_the_registry(
    role: str, key: str, prod: Resolved
) -> None:
    expected = {"Registry"} if role == "Operator" else set()
    assert tables_where(prod, role, "DeleteItem", key) == expected


@pytest.mark.parametrize("key", ["patient#1", "identifier#NORTHGEN#1", "provider#1", "rate#mail"])
def test_the_operator_reads_and_changes_no_other_entry_of_the_registry(
    key: str, prod: Resolved
) -> None:
    for action in ("GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "PutItem"):
        assert "Registry" not in tables_where(prod, "Operator", action, key)


def test_the_registrar_appends_to_the_chain_of_master_data_and_reads_no_events_trail(
    prod: Resolved,
) -> None:
    assert tables_where(prod, "Registrar", "PutItem", REGISTRY_CHAIN) == {"Audit"}
    assert tables_where(prod, "Registrar", "GetItem", REGISTRY_CHAIN) == {"Audit", "Registry"}


@pytest.mark.parametrize(
    ("key", "tables"),
    [
        ("identifier#NORTHGEN#H00412", {"Registry"}),
        ("provider#dr-lindqvist", {"Registry"}),
        ("provider-identifier#NPI#1888888884", {"Registry"}),
        ("patient#p-okafor", set()),
        ("authorities", set()),
    ],
)
def test_the_auditor_looks_identifiers_and_providers_up_and_reads_no_demographics(
    key: str, tables: set[str], prod: Resolved
) -> None:
    assert tables_where(prod, "Auditor", "GetItem", key) - {"Status"} == tables
    for action in ("Query", "Scan", "BatchGetItem", "PutItem", "UpdateItem"):
        assert "Registry" not in tables_where(prod, "Auditor", action, key)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_appends_to_the_record_of_looks(role: str, prod: Resolved) -> None:
    today = chain_of("2026-11-26")
    assert tables_where(prod, role, "PutItem", today) == {"Audit"}
    assert "Audit" in tables_where(prod, role, "GetItem", today)


def test_the_operator_puts_the_switch_of_deliveries_and_no_delivery(prod: Resolved) -> None:
    assert tables_where(prod, "Operator", "PutItem", SWITCH) == {"Audit", "Ledger"}


@pytest.mark.parametrize("role", ROLES)
def test_only_break_glass_access_reads_the_vault_and_nobody_writes_it(
    role: str, prod: Resolved
) -> None:
    vault = prod.arn("core", "Vault/Bucket")
    read, versions, put, delete, listed = (
        *(
            (f"s3:{a}", f"{vault}/{MESSAGE}")
            for a in ("GetObject", "GetObjectVersion", "PutObject")
        ),
        ("s3:DeleteObject", f"{vault}/{MESSAGE}"),
        ("s3:ListBucket", vault),
    )
    allowed = may(prod, role, read, versions, put, delete, listed)
    is_reader = role == "BreakGlass"
    assert [allowed[one] for one in (read, versions, listed)] == [is_reader] * 3
    assert [allowed[one] for one in (put, delete)] == [False, False]


@pytest.mark.parametrize(
    ("role", "secrets"),
    [
        ("Operator", set()),
        ("Auditor", {"AuditKey", "ReferenceKey"}),
        ("Registrar", {"ReferenceKey"}),
        ("BreakGlass", set()),
    ],
)
def test_the_reference_key_is_for_the_registrar_and_the_auditor(
    role: str, secrets: set[str], prod: Resolved
) -> None:
    """With it, a record number is compared with the references of the trail: `ens audit patient`."""
    arns = {prod.arn("core", f"Secrets/{name}"): name for name in ("AuditKey", "ReferenceKey")}
    allowed = may(prod, role, *(("secretsmanager:GetSecretValue", arn) for arn in arns))
    assert {arns[arn] for (_, arn), yes in allowed.items() if yes} == secrets


@pytest.mark.parametrize("role", ROLES)
def test_only_the_operator_moves_messages_and_starts_the_pipe(role: str, prod: Resolved) -> None:
    events, dead = (prod.arn("core", f"Queues/{name}") for name in ("Events", "DeadLetters"))
    pipe = f"arn:aws:pipes:{REGION}:{ACCOUNT}:pipe/hl7-ens-prod-events"
    asked = (
        ("sqs:SendMessage", events),
        ("sqs:ReceiveMessage", dead),
        ("sqs:DeleteMessage", dead),
        ("pipes:StartPipe", pipe),
    )
    assert set(may(prod, role, *asked).values()) == {role == "Operator"}


@pytest.mark.parametrize("role", ROLES)
def test_the_operator_sees_the_receivers_that_the_runbook_sends_to_and_changes_none(
    role: str, prod: Resolved
) -> None:
    """The service's events, its stopped tasks, and the dashboard's graphs of Contributor Insights."""
    ecs, own = f"arn:aws:ecs:{REGION}:{ACCOUNT}", "hl7-ens-prod"
    task = f"{ecs}:task/{own}/0123456789abcdef"
    seen = (
        *(("ecs:ListClusters", "*"), ("ecs:ListServices", "*"), ("ecs:ListTasks", "*")),
        ("ecs:DescribeClusters", f"{ecs}:cluster/{own}"),
        ("ecs:DescribeServices", f"{ecs}:service/{own}/{own}-receiver"),
        ("ecs:DescribeTasks", task),
        *(
            ("cloudwatch:GetInsightRuleReport", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:{rule}")
            for rule in (f"insight-rule/{own}-warnings", f"insight-rule/{own}-unknown-patients")
        ),
    )
    kept = (
        ("ecs:DescribeServices", f"{ecs}:service/hl7-ens-dev/hl7-ens-dev-receiver"),
        ("ecs:UpdateService", f"{ecs}:service/{own}/{own}-receiver"),
        ("ecs:ExecuteCommand", task),
        ("ecs:StopTask", task),
    )
    allowed = may(prod, role, *seen, *kept)
    assert {one for one, yes in allowed.items() if yes} == (
        set(seen) if role == "Operator" else set()
    )


@pytest.mark.parametrize("role", ROLES)
def test_no_role_takes_from_the_event_queue_or_reads_what_ses_reported(
    role: str, prod: Resolved
) -> None:
    """A message taken there is an event that nobody processes; a report names an address."""
    asked = [
        (f"sqs:{action}", prod.arn("core", f"Queues/{name}"))
        for name, action in (
            ("Events", "ReceiveMessage"),
            ("Events", "PurgeQueue"),
            ("DeadLetters", "PurgeQueue"),
            ("FeedbackDeadLetters", "ReceiveMessage"),
        )
    ]
    assert set(may(prod, role, *asked).values()) == {False}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_gives_itself_more(role: str, prod: Resolved) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:role/hl7-ens-prod-operator"
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hl7-ens-prod-ParseMessage"
    asked = (
        *((f"iam:{a}", own) for a in ("PutRolePolicy", "AttachRolePolicy", "PassRole")),
        *((f"lambda:{a}", function) for a in ("UpdateFunctionCode", "InvokeFunction")),
        ("kms:PutKeyPolicy", prod.arn("core", "Keys/Vault")),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/hl7-ens-prod-break-glass"),
        ("cloudtrail:StopLogging", prod.arn("core", "DataTrail")),
    )
    assert set(may(prod, role, *asked).values()) == {False}


def test_the_auditor_reads_the_trail_of_accesses_and_cannot_change_it(prod: Resolved) -> None:
    record = prod.arn("core", "DataTrail/Bucket") + f"/AWSLogs/{ACCOUNT}/CloudTrail/1.json.gz"
    read, put, delete = ((f"s3:{a}", record) for a in ("GetObject", "PutObject", "DeleteObject"))
    assert may(prod, "Auditor", read, put, delete) == {read: True, put: False, delete: False}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_assumed_with_mfa_or_not_at_all(role: str, prod: Resolved) -> None:
    assert _may_assume(prod, role, aws__MultiFactorAuthPresent="true")
    assert not _may_assume(prod, role, aws__MultiFactorAuthPresent="false")
    assert not _may_assume(prod, role)


def test_a_role_whose_people_are_named_is_for_them_alone() -> None:
    sso = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_EnsOps_*"
    environment = load("local")
    environment = replace(environment, people=replace(environment.people, operators=(sso,)))
    named = Resolved(stacks_of(environment))
    ops = sso.replace("/*/", "/us-east-1/").replace("_*", "_0123456789abcdef")
    assert _may_assume(named, "Operator", aws__PrincipalArn=ops)
    other = ops.replace("EnsOps", "Billing")
    assert not _may_assume(
        named, "Operator", aws__PrincipalArn=other, aws__MultiFactorAuthPresent="true"
    )


@pytest.mark.parametrize(
    ("role", "hours"), [("Operator", 4), ("Auditor", 4), ("Registrar", 2), ("BreakGlass", 1)]
)
def test_a_session_ends_by_itself(role: str, hours: int, core: Template) -> None:
    assert core.properties(f"People/{role}")["MaxSessionDuration"] == hours * 3600


def test_every_assumption_and_call_of_break_glass_access_is_an_alarm(prod: Resolved) -> None:
    """The rule matches CloudTrail's events as AWS documents them, and no other role's."""
    core = prod.template("core")["Resources"]
    (rule,) = (
        resource["Properties"]
        for resource in core.values()
        if resource["Type"] == "AWS::Events::Rule"
        and resource["Properties"].get("Name") == "hl7-ens-prod-break-glass"
    )
    # AssumeRole is a read-only management event: a rule in state ENABLED never sees it.
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    (alarm,) = (
        resource["Properties"]
        for resource in core.values()
        if resource["Properties"].get("AlarmName") == "hl7-ens-prod-break-glass"
    )
    assert alarm["Namespace"] == "AWS/Events"
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": rule["Name"]}]
    assert alarm["Threshold"] == 1


CALL = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role"


def issued_by(arn: str) -> dict[str, object]:
    """The identity of a session of a role, as CloudTrail writes it (CloudTrail user guide, "userIdentity")."""
    issuer = {"type": "Role", "arn": arn, "accountId": ACCOUNT}
    return {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}


def test_a_person_who_reads_the_vault_is_an_alarm_whatever_the_credentials(prod: Resolved) -> None:
    resources = prod.template("core")["Resources"]
    (rule,) = (
        resource["Properties"]
        for resource in resources.values()
        if resource["Properties"].get("Name") == "hl7-ens-prod-break-glass"
        and resource["Type"] == "AWS::Events::Rule"
    )
    pattern = EventPattern.load(json.dumps(rule["EventPattern"]))
    assert len(json.dumps(rule["EventPattern"])) < 2048  # EventBridge quotas, "Event pattern size"
    bucket = prod.arn("core", "Vault/Bucket").rpartition(":")[2]

    def alarmed(identity: Mapping[str, object], name: str = "GetObject", of: str = bucket) -> bool:
        detail = {
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "userIdentity": identity,
            "requestParameters": {"bucketName": of, "key": MESSAGE},
        }
        event: Any = {**CALL, "detail": detail}
        return bool(pattern.matches_event(event))

    user = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ana", "userName": "ana"}
    root = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    assert alarmed(user)
    assert alarmed(root)
    assert alarmed(issued_by(f"{ROLE_ARN}/Administrator"))
    assert alarmed(issued_by(prod.arn("core", "People/BreakGlass")), name="ListBuckets")
    assert not alarmed(issued_by(f"{ROLE_ARN}/Administrator"), of="another-bucket")
    assert not alarmed(issued_by(f"{ROLE_ARN}/Administrator"), name="PutObject")

    def copied(source: str, name: str) -> bool:
        """Of a copy, CloudTrail's bucketName is that of the target (S3 API, CopyObject: x-amz-copy-source)."""
        detail = {
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "userIdentity": user,
            "requestParameters": {
                "bucketName": "another-bucket",
                "key": "copy",
                "x-amz-copy-source": source,
            },
        }
        event: Any = {**CALL, "detail": detail}
        return bool(pattern.matches_event(event))

    for name in ("CopyObject", "UploadPartCopy"):
        assert copied(f"{bucket}/{MESSAGE}", name)
        assert copied(f"/{bucket}/{MESSAGE}?versionId=3", name)
        assert copied(quote(f"{bucket}/{MESSAGE}", safe=""), name)
        assert not copied(f"another-bucket/{MESSAGE}", name)
    for program in ("ParseMessage", "DeliverNotification"):
        assert not alarmed(issued_by(prod.arn("core", f"{program}Role")))


def _may_assume(stacks: Resolved, role: str, **context: str) -> bool:
    everything = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    named = context.get("aws__PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/ana")
    request = AuthorizationRequest(
        action="sts:AssumeRole",
        resource=stacks.arn("core", f"People/{role}"),
        identity=[{"Version": "2012-10-17", "Statement": [everything]}],
        resource_policy=stacks.trust("core", f"People/{role}"),
        principal=named,
        context={name.replace("__", ":"): value for name, value in context.items()},
    )
    return decide([request]) == [ALLOWED]
