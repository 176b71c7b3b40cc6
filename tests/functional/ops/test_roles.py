"""Every command of `ens` with the policies of every role for people, as dev and prod deploy them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto.core.authorization import ActionAuthenticatorMixin

from environments import load
from lambdas.common import status
from lambdas.common.audit.canonical import GENESIS, HEAD
from lambdas.common.audit.checks import line_of
from lambdas.common.audit.digests import Digest, day_before, key_of
from lambdas.common.aws.items import to_item
from lambdas.track_encounter.tracking import track
from local.patches.additions import authorisation
from ops.cli import main
from ops.commands.audit import UNCHECKED
from ops.deployment import Deployment
from ops.problem import DENIED_CODES
from ops.queues import redrive
from ops.roles import COMMANDS, Role
from ops.smoke.probes import probes
from tests.conftest import ROOT
from tests.infra.assemblies import assembly, stacks_of
from tests.support.deployment import dead_letter, deployed
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, PROFILE, I, message
from tests.support.older_chain import older_items, write
from tests.support.people import People, people_of
from tests.support.receiver import StubReceiver
from tests.support.retention import fill_retention
from tests.support.seal_keys import DIGESTS
from tests.support.trails import PROVIDER, Story, poison, told

ENVIRONMENTS = ("dev", "prod")
TOLD, FAILED, DELIVERY = "a" * 32, "b" * 32, "d1" * 16
CONTROL_ID = "MSG00002"
TODAY = datetime.now(UTC).date().isoformat()
OLDER_DAY = day_before(day_before(TODAY))
UNKNOWN = {
    "delivery_id": DELIVERY,
    "event_id": TOLD,
    "recipient_ref": PROVIDER,
    "channel": "email",
    "event_kind": "admission",
    "state": "unknown",
    "task": {"envelope": {"event_id": TOLD}},
    "updated_at": "2026-11-23T13:12:00.000Z",
}
REJECTED = f"rejected/{TODAY}/0a1b"
SEEDS = ROOT / "samples" / "registry"
RUN = "A1B2C3D4E5"
WHY = ("--reason", "ticket 4711")
LOGS = "/*/hl7-ens-{environment}-*"
FOR_THE_CONSOLE: dict[Role, set[str]] = {
    # Alarms, dashboard, logs, saved queries and the receivers; `aws pipes start-pipe` (docs/runbook.md).
    Role.OPERATOR: {
        "cloudwatch:DescribeAlarmHistory hl7-ens-{environment}-*",
        "cloudwatch:GetDashboard dashboard/hl7-ens-{environment}",
        "cloudwatch:GetInsightRuleReport insight-rule/hl7-ens-{environment}-*",
        "cloudwatch:GetMetricData *",
        "cloudwatch:GetMetricStatistics *",
        "cloudwatch:ListDashboards *",
        "cloudwatch:ListMetrics *",
        "ecs:DescribeClusters cluster/hl7-ens-{environment}",
        "ecs:DescribeServices service/hl7-ens-{environment}/*",
        "ecs:DescribeTasks task/hl7-ens-{environment}/*",
        "ecs:ListClusters *",
        "ecs:ListServices *",
        "ecs:ListTasks *",
        "logs:DescribeLogGroups *",
        f"logs:DescribeLogStreams {LOGS}",
        "logs:DescribeQueryDefinitions *",
        "logs:GetLogEvents *",
        f"logs:GetQueryResults {LOGS}",
        f"logs:StartQuery {LOGS}",
        "logs:StopQuery *",
        "pipes:DescribePipe pipe/hl7-ens-{environment}-events",
        "pipes:StartPipe pipe/hl7-ens-{environment}-events",
        "pipes:StopPipe pipe/hl7-ens-{environment}-events",
        "sqs:GetQueueAttributes hl7-ens-{environment}-feedback-dead-letters",
        "sqs:ListQueues *",
        "states:DescribeStateMachine hl7-ens-{environment}-patient-event",
        "states:ListStateMachines *",
    },
    # In prod the records of accesses.
    Role.AUDITOR: set(),
    Role.REGISTRAR: set(),
    # Emergency access to a message, and to an older version of it.
    Role.BREAK_GLASS: {
        "s3:GetObject vault/analyses/*",
        "s3:GetObjectVersion vault/analyses/*",
        "s3:GetObjectVersion vault/rejected/*",
        "s3:ListBucketVersions vault",
    },
}
"""Grants that no command of `ens` uses: the console does, or a command of the runbook."""
OTHER_WAYS = {"audit verify": ("--whole-table",)}
"""Options of a command that need a right of their own."""
ADMISSION = ROOT / "samples" / "admission.hl7"


@dataclass
class World:
    """A deployed environment with one of everything, and the people who may sign in to it."""

    aws: Any
    deployment: Deployment
    people: People
    receiver: StubReceiver
    roster: Path

    def ens(self, *arguments: str) -> Result:
        """Runs `ens` in this process, in the environment."""
        return CliRunner().invoke(
            main,
            ["--env", self.deployment.environment, *arguments],
            env={"COLUMNS": "80"},
            prog_name="ens",
        )

    def names_the_roles_of(self, command: str, output: str) -> bool:
        """Whether an output says that a right is missing, and which roles have it."""
        said = " ".join(output.split())
        names = [role.name_in(self.deployment.environment) for role in COMMANDS[command]]
        return "Error: These credentials may not" in said and all(name in said for name in names)

    def arguments(self, command: str) -> tuple[str, ...]:
        """A command with arguments that succeed for a person who has the right."""
        at = ("--host", "127.0.0.1", "--port", str(self.receiver.port))
        return (
            *command.split(),
            *{
                "audit looks": (),
                "audit patient": ("--identifier", "H00412", "--authority", "NORTHGEN"),
                "audit provider": ("--id", "dr-smith"),
                "audit verify": ("--day", OLDER_DAY),
                "cost": (),
                "deliveries continue": (),
                "deliveries discard": (DELIVERY, *WHY),
                "deliveries held": (),
                "deliveries pause": (),
                "deliveries problems": (),
                "deliveries reopen": (PROVIDER, *WHY),
                "deliveries resend": (DELIVERY,),
                "deliveries unknown": (),
                "dlq list": (),
                "dlq redrive": ("--all",),
                "dlq show": (CONTROL_ID,),
                "encounters orphans": (),
                "encounters show": (TOLD,),
                "events": (),
                "feed check": (str(ADMISSION), "--sender", "northgen"),
                "notification preview": ("admission",),
                "phi mail": (DELIVERY, *WHY),
                "phi message": (TOLD, *WHY),
                "phi rejected": (REJECTED, *WHY),
                "preflight": ("--assembly", str(assembly(load("dev")))),
                "registry import": (str(SEEDS), "--yes"),
                "rejected list": (),
                "senders check": (),
                "senders expiring": (),
                "rejected show": (REJECTED,),
                "replay": (TOLD,),
                "report cop": ("--month", TODAY[:7], "--sender", "northgen"),
                "retention check": (),
                "roster end": ("dr-smith", "--yes"),
                "roster import": (str(self.roster), "--subscriber", "dr-smith"),
                "roster list": (),
                "send": (str(ADMISSION), *at),
                "smoke": (*at, "--wait", "5", "--yes"),
                "trace": (TOLD,),
            }[command],
        )


@pytest.fixture(autouse=True)
def _judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has moto decide about every request made with a role's credentials."""
    name = "_authenticate_and_authorize_action"
    # Set to itself first, so that the end of the test puts moto's own check back.
    monkeypatch.setattr(ActionAuthenticatorMixin, name, getattr(ActionAuthenticatorMixin, name))
    authorisation.install()


@pytest.fixture(params=ENVIRONMENTS)
def world(
    request: pytest.FixtureRequest,
    aws: Any,
    receiver: StubReceiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> World:
    """A deployed environment whose operator has something to do."""
    monkeypatch.setattr(redrive, "POLL_SECONDS", 0)
    monkeypatch.setattr("ops.commands.smoke.new_run", lambda: RUN)
    deployment = deployed(aws, request.param)
    people = people_of(request.param, stacks_of(load(request.param)))
    group, kept = f"/ecs/hl7-ens-{request.param}-receiver", load(request.param).retention.logs_days
    boto3.client("logs").create_log_group(logGroupName=group)
    boto3.client("logs").put_retention_policy(logGroupName=group, retentionInDays=kept)
    roster = tmp_path / "panel.csv"
    roster.write_text("authority,value\nNORTHGEN,H00412\n")
    return World(aws, deployment, people, receiver, roster)


RECORDS = {"s3:ListBucket buckettrail", "s3:GetObject buckettrail/AWSLogs/*"}
"""The records of accesses, which the auditor reads in the console where `data_trail` is on."""


def commands(group: click.Group = main, before: tuple[str, ...] = ()) -> Iterator[str]:
    """The words of every command below a group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        else:
            yield " ".join((*before, name))


def test_every_command_has_its_roles() -> None:
    assert sorted(commands()) == sorted(COMMANDS)


def test_the_table_of_the_documents_is_that_of_the_roles() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    head = next(n for n, row in enumerate(rows) if row.startswith("| `ens` |"))
    cells = [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in rows[head:]]
    roles = [Role(name) for name in cells[0][1:]]
    written = {
        row[0]: tuple(role for role, cell in zip(roles, row[1:], strict=True) if cell == "yes")
        for row in cells[1 : len(COMMANDS) + 1]
    }
    assert written == COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
def test_a_role_runs_its_commands_to_the_end_and_is_told_whose_the_others_are(
    role: Role, world: World
) -> None:
    faults = {}
    for command, roles in COMMANDS.items():
        _fill(world, command)
        with world.people.signed_in(role, counted=role in roles):
            result = world.ens(*world.arguments(command))
            if role in roles and command in OTHER_WAYS:
                other = world.ens(*command.split(), *OTHER_WAYS[command])
                assert other.exit_code == 0, other.output
        if role in roles:
            is_right = result.exit_code == 0
        elif command == "preflight":
            is_right = result.exit_code == 1 and "may not call" in result.output
        else:
            code = UNCHECKED if command == "audit verify" else 1
            is_right = result.exit_code == code and world.names_the_roles_of(command, result.output)
        if not is_right:
            faults[command] = (result.output, result.exception)
    assert faults == {}
    environment = world.deployment.environment
    expected = {grant.replace("{environment}", environment) for grant in FOR_THE_CONSOLE[role]}
    assert world.people.unused(role) - RECORDS == expected
    assert world.people.judged_otherwise_by_iam(role) == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.BREAK_GLASS])
def test_no_role_but_break_glass_access_opens_a_message(role: Role, world: World) -> None:
    _fill(world, "rejected")
    with world.people.signed_in(role):
        s3 = boto3.client("s3")
        assert denied(lambda: s3.get_object(Bucket="vault", Key=REJECTED))
        assert denied(lambda: s3.head_object(Bucket="vault", Key=REJECTED))
        assert denied(lambda: s3.list_objects_v2(Bucket="vault"))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.REGISTRAR])
def test_no_role_but_the_registrar_reads_a_patient_in_the_registry(
    role: Role, world: World
) -> None:
    """The operator opens the smoke test's own entries, of which none is a person."""
    _fill(world, "roster")
    patient = {"pk": {"S": "patient#p-okafor"}, "sk": {"S": "patient"}}
    asked = {
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "patient#p-okafor"}},
    }
    with world.people.signed_in(role):
        dynamodb = boto3.client("dynamodb")
        assert denied(lambda: dynamodb.get_item(TableName="registry", Key=patient))
        assert denied(lambda: dynamodb.query(TableName="registry", **asked))
        assert denied(lambda: dynamodb.scan(TableName="registry"))
        assert denied(lambda: dynamodb.scan(TableName="lookups"))
        key = {"TableName": "registry", "Keys": [patient]}
        assert denied(
            lambda: dynamodb.batch_get_item(RequestItems={"registry": {"Keys": key["Keys"]}})
        )


def test_a_role_of_another_environment_is_told_what_to_check(world: World) -> None:
    """Its own role may not even look for the stack, so AWS says AccessDenied, not that there is none."""
    with world.people.signed_in(Role.OPERATOR):
        result = CliRunner().invoke(main, ["--env", "staging", "events"], prog_name="ens")
    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert said.startswith(
        "Error: These credentials may not look for the stack hl7-ens-staging-core in us-east-1"
        " (AccessDenied); its file names us-east-1: check --env, AWS_PROFILE and AWS_DEFAULT_REGION."
    )
    assert "hl7-ens-staging-operator or hl7-ens-staging-auditor" in said


def test_an_operator_is_told_how_to_replay_an_event_whose_receipt_is_missing(world: World) -> None:
    Story(world.deployment.context, "e" * 32).run().failed(
        "DependencyUnavailableError", "ParseMessage"
    )
    with world.people.signed_in(Role.OPERATOR):
        result = world.ens("replay", "e" * 32)
    said = " ".join(result.output.split())
    assert (result.exit_code, "may not read the vault: redrive" in said) == (1, True)


def denied(call: Callable[[], Any]) -> bool:
    """Whether the call is refused for lack of a right; another failure passes through."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED_CODES:
            raise
        return True
    return False


def _fill(world: World, command: str) -> None:
    """The data of a command: an event and a dead letter, a delivery, a rejected message, or the registry."""
    aws, deployment = world.aws, world.deployment
    match command.split(maxsplit=1)[0]:
        case "deliveries":
            held = command == "deliveries discard"
            item = {**UNKNOWN, **({"state": "held"} if held else {})}
            aws.client("dynamodb").put_item(TableName="ledger", Item=to_item(item))
            failed = {"delivery_id": "endpoint#k1.x", "recipient_ref": PROVIDER}
            item = {**failed, "state": "endpoint_bad", "updated_at": UNKNOWN["updated_at"]}
            aws.client("dynamodb").put_item(TableName="ledger", Item=to_item(item))
        case "audit" if command == "audit verify":
            _fill_audit(world)
        case "phi":
            _fill(world, "rejected")
            s3 = aws.client("s3")
            content = ADMISSION.read_bytes()
            s3.put_object(Bucket="vault", Key=f"events/{TOLD}/message.hl7", Body=content)
            key = f"events/{TOLD}/mail/{DELIVERY}.eml"
            version = s3.put_object(Bucket="vault", Key=key, Body=b"Subject: x\n\nx")["VersionId"]
            mail = {"key": key, "version_id": version, "sha256": ""}
            item = to_item({**UNKNOWN, "document": mail})
            aws.client("dynamodb").put_item(TableName="ledger", Item=item)
        case "retention":
            fill_retention(aws, deployment.environment)
        case "rejected":
            refused = {"reason": "unknown_type", "connection": "c1", "peer": "10.1.2.3"}
            aws.client("s3").put_object(
                Bucket="vault", Key=REJECTED, Body=ADMISSION.read_bytes(), Metadata=refused
            )
        case "audit":
            _fill(world, "roster")
            _fill(world, "trace")
        case "roster":
            for needed in ("registry import", "roster import"):
                assert world.ens(*world.arguments(needed)).exit_code == 0
        case "smoke":
            _fill_smoke(world)
        case "dlq":
            poison(deployment.context, FAILED, CONTROL_ID)
            dead_letter(aws, deployment, FAILED, copy=datetime.now(UTC).isoformat())
        case "encounters":
            _fill(world, "trace")
            admitted = message("A01", 0, I, TOLD)
            track(table_of(aws.client("dynamodb")), admitted, PROFILE, lambda: NOON)
        case _ if not status.read(deployment.context, TOLD):
            told(deployment.context, TOLD)


def _fill_audit(world: World) -> None:
    """An event of an earlier version, whose key the auditor reads, and the digest of its day."""
    context = world.deployment.audit
    items = older_items("9" * 32, OLDER_DAY, "RECEIVED", "PARSED")
    write(context, items)
    digest = Digest(
        environment=world.deployment.environment,
        day=OLDER_DAY,
        made_at=f"{TODAY}T00:20:00.000Z",
        previous=GENESIS,
        lines={"9" * 32: line_of(item for item in items if item["sk"] != HEAD)},
    )
    world.aws.client("s3").put_object(Bucket=DIGESTS, Key=key_of(OLDER_DAY), Body=digest.to_bytes())


def _fill_smoke(world: World) -> None:
    """The traces of three smoke messages when everything is as expected."""
    context = world.deployment.context
    good, poisoned, slow = (p.control_id for p in probes(load("prod"), RUN))
    story = Story(context, "1" * 32).run().received(good).resolved(PROVIDER)
    story.step("DeliverNotification", "SENT", recipient_ref=PROVIDER).completed()
    story.step("RecordFeedback", "DELIVERED", recipient_ref=PROVIDER)
    story = Story(context, "3" * 32).run().received(slow)
    story.step("ParseMessage", "NOT_NOTIFIABLE", "not_notifiable").completed()
    poison(context, "2" * 32, poisoned)
    dead_letter(
        world.aws, world.deployment, "2" * 32, copy=datetime.now(UTC).isoformat(), sender="smoke"
    )
