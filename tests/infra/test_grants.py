"""Each principal may do what its code calls, on what it calls it, and nothing else: read from both.

Needs come from the code (tests/support/aws_calls) and AWS's service authorization reference
(infra/reference/table.json), grants from the synthesised templates of every environment.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from environments import Environment, MpiSection, load
from infra.reference.table import reference
from tests.infra import policy
from tests.infra.conftest import EVERY, Stacks, stacks_of
from tests.infra.grants import PRINCIPALS, Grant, granted, needed, one_form, role_of
from tests.infra.policy import ServiceCall
from tests.infra.template import STEPS, Template, text

SECRET, KEY = (
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:",
    "arn:aws:kms:us-east-1:111122223333:key/1",
)
RECIPIENTS = ("nurse@hospital.example", "practice.example")

# What a service does in the name of a role, for which no code of ours has a call.
BY_LAMBDA = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # "Using Lambda with X-Ray"
BY_STEP_FUNCTIONS = {  # Step Functions developer guide: "Logging using CloudWatch Logs", X-Ray
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
}
# Lambda developer guide, "Giving functions access to a VPC": on any resource, and denied to the code.
INTERFACES = {
    *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
}

MACS = frozenset({"kms:GenerateMac", "kms:VerifyMac"})


def with_everything(environment: Environment) -> Environment:
    """An environment that configures each optional secret, an MPI in its network, and a sandbox."""
    return replace(
        environment,
        account="111122223333",
        mail=replace(
            environment.mail,
            smime_secret=f"{SECRET}smime-AbCdEf",
            smime_secret_key_arn=KEY,
            sandbox_recipients=RECIPIENTS,
        ),
        mpi=MpiSection(
            settings={"host": "mpi.northgen.example", "port": 3600},
            secret_arn=f"{SECRET}mpi-AbCdEf",
            secret_key_arn=KEY,
            networks=("10.20.0.0/16",),
            port=3600,
        ),
        receiver=replace(
            environment.receiver, tls_secret=f"{SECRET}tls-AbCdEf", plain_text_because=""
        ),
    )


@pytest.fixture(params=[*EVERY, "dev+", "prod+"])
def stacks(request: pytest.FixtureRequest) -> Stacks:
    """The stacks of an environment; `dev+` and `prod+` with everything that can be configured."""
    environment = load(request.param.removesuffix("+"))
    return stacks_of(with_everything(environment) if request.param.endswith("+") else environment)


def of_calls(stacks: Stacks, principal: str) -> set[Grant]:
    """A role's grants without those that a service uses in its name."""
    core = stacks["core"]
    log = {f"<{group}>" for group in core.of_type("AWS::Logs::LogGroup")}
    by_service = BY_STEP_FUNCTIONS if principal == "Workflow" else BY_LAMBDA | INTERFACES
    return {
        grant
        for grant in granted(core, role_of(principal, core)) - of_dead_letters(core, principal)
        if not (grant.action in by_service and grant.resource == "*")
        and not (
            grant.action in ("logs:CreateLogStream", "logs:PutLogEvents") and grant.resource in log
        )
    }


def of_dead_letters(core: Template, principal: str) -> set[Grant]:
    """The actions that Lambda needs in a function's name to write an event to its dead-letter queue.

    Lambda developer guide, "Dead-letter queues"; Amazon SQS developer guide, "Key management".
    """
    target = core.properties(principal).get("DeadLetterConfig") if principal in STEPS else None
    if target is None:
        return set()
    queue = one_form(text(target["TargetArn"]))
    key = one_form(text(core.resources[queue.strip("<>")]["Properties"]["KmsMasterKeyId"]))
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    return {Grant("sqs:SendMessage", queue), *(Grant(action, key, "sqs") for action in use)}


def needs_of(stacks: Stacks, principal: str) -> set[Grant]:
    """The rights that a principal needs, with the foreign secrets' keys and recipients of the settings."""
    found = needed(stacks, principal)
    if principal == "DeliverNotification":
        told = stacks["core"].properties(principal)["Environment"]["Variables"]
        if told.get("ENS_SMIME_SECRET"):
            arn = "arn:aws:ses:us-east-1:111122223333:identity/"
            found |= {Grant("ses:SendRawEmail", f"{arn}{one}") for one in RECIPIENTS}
    foreign = any(
        grant.resource.startswith(SECRET) and "tls-" not in grant.resource for grant in found
    )
    return found | ({Grant("kms:Decrypt", KEY, "secretsmanager")} if foreign else set())


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_every_call_is_granted_with_its_key(principal: str, stacks: Stacks) -> None:
    assert needs_of(stacks, principal) - of_calls(stacks, principal) == set()


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nothing_is_granted_that_no_call_needs(principal: str, stacks: Stacks) -> None:
    """A pattern that is wider than the code's is such a grant, and its own."""
    assert of_calls(stacks, principal) - needs_of(stacks, principal) == set()


def roles(stacks: Stacks) -> list[tuple[Template, str]]:
    return [(t, role) for t in stacks.values() for role in t.of_type("AWS::IAM::Role")]


def test_every_granted_action_is_one_that_aws_knows(stacks: Stacks) -> None:
    for template, role in roles(stacks):
        for grant in granted(template, role):
            reference().action(grant.action)


def on_every(template: Template, role: str) -> set[str]:
    """Actions that a role needs on `*` though they take resources: the operator's lists of alarms and tasks.

    CloudWatch API reference, "DescribeAlarms": composite alarms come only with a scope of `*`. Tasks on
    Fargate have no container instance, the one resource of ListTasks.
    """
    is_operator = template.name.endswith("-core") and role == template.id_of("People/Operator")
    return {"cloudwatch:DescribeAlarms", "ecs:ListTasks"} if is_operator else set()


def test_an_action_that_takes_resources_is_granted_on_named_ones(stacks: Stacks) -> None:
    for template, role in roles(stacks):
        for grant in granted(template, role):
            if grant.resource == "*" and grant.action not in INTERFACES | on_every(template, role):
                assert reference().action(grant.action).resources == (), (role, grant)


def test_a_resource_is_of_a_type_that_its_action_takes(stacks: Stacks) -> None:
    """A table's ARN in a grant of an S3 action would never be used."""
    kinds = {
        "AWS::DynamoDB::Table": "dynamodb",
        "AWS::S3::Bucket": "s3",
        "AWS::SQS::Queue": "sqs",
        "AWS::SecretsManager::Secret": "secretsmanager",
        "AWS::Lambda::Function": "lambda",
        "AWS::KMS::Key": "kms",
        "AWS::Logs::LogGroup": "logs",
        "AWS::Pipes::Pipe": "pipes",
        "AWS::StepFunctions::StateMachine": "states",
    }
    for template, role in roles(stacks):
        for grant in granted(template, role):
            found = re.match(r"<(\w+)>", grant.resource)
            if found and found[1] in template.resources:
                kind = kinds[template.resources[found[1]]["Type"]]
                assert grant.action.partition(":")[0] == kind, (role, grant)
            elif grant.resource.startswith("arn:"):
                plain = grant.resource.replace("<Account>", "111122223333")
                patterns = reference().arn_patterns(grant.action)
                assert any(pattern.fullmatch(plain) for pattern in patterns), (role, grant)


def test_a_condition_is_one_that_its_actions_know(stacks: Stacks) -> None:
    for template, role in roles(stacks):
        for statement in template.statements(role):
            keys = {key for operator in statement.conditions.values() for key in operator}
            for action in statement.actions if statement.effect == "Allow" else ():
                own = {key for key in keys if not key.startswith("aws:")}
                assert own <= set(reference().action(action).conditions), (role, action)


def test_a_key_is_used_through_the_service_that_holds_the_data_alone(stacks: Stacks) -> None:
    for template, role in roles(stacks):
        for grant in granted(template, role):
            # Seals of the audit trail are made and verified by the principals themselves.
            if grant.action.startswith("kms:") and grant.action not in MACS:
                assert grant.via in ("s3", "dynamodb", "sqs", "secretsmanager"), (role, grant)


def test_who_seals_the_audit_trail_cannot_verify_it_and_who_verifies_cannot_write_it(
    stacks: Stacks,
) -> None:
    """KMS developer guide, "HMAC keys in AWS KMS": GenerateMac and VerifyMac are rights of their own."""
    core = stacks["core"]
    audit, digests = (f"<{core.id_of(name)}>" for name in ("Tables/Audit", "AuditDigests/Bucket"))
    seen = set()
    for template, role in roles(stacks):
        allowed = {(one.action, one.resource) for one in granted(template, role)}
        macs = {action for action, _ in allowed} & MACS
        seen |= macs
        if role == core.id_of("People/Auditor"):
            continue  # appends to the record of looks alone: tests/infra/test_people.py
        assert len(macs) <= 1, role
        if macs == {"kms:VerifyMac"}:
            writes = {("dynamodb:PutItem", audit), ("dynamodb:UpdateItem", audit)}
            assert not allowed & writes, role
        writes_digests = any(a == "s3:PutObject" and r.startswith(digests) for a, r in allowed)
        assert writes_digests == (role == core.id_of("DigestAuditRole")), role
        if writes_digests:
            assert not macs
    assert seen == MACS


def test_the_bucket_of_digests_denies_every_other_writer_and_every_replacement(
    stacks: Stacks,
) -> None:
    core = stacks["core"]
    bucket = core.id_of("AuditDigests/Bucket")
    (policy,) = (
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in core.of_type("AWS::S3::BucketPolicy").values()
        if resource["Properties"]["Bucket"] == {"Ref": bucket}
    )
    denied = [
        statement["Condition"]
        for statement in policy
        if statement["Effect"] == "Deny" and statement["Action"] == "s3:PutObject"
    ]
    role = {"Fn::GetAtt": [core.id_of("DigestAuditRole"), "Arn"]}
    assert denied == [
        {"ArnNotEquals": {"aws:PrincipalArn": role}},
        {"Null": {"s3:if-none-match": "true"}},
    ]


def test_a_notification_leaves_as_raw_mail_from_the_environments_own_address(
    stacks: Stacks,
) -> None:
    core = stacks["core"]
    (statement,) = (
        s
        for s in core.statements(core.id_of("DeliverNotificationRole"))
        if any(action.startswith("ses:") for action in s.actions)
    )
    told = core.properties("DeliverNotification")["Environment"]["Variables"]
    assert statement.actions == ("ses:SendRawEmail",)
    assert statement.conditions == {"StringEquals": {"ses:FromAddress": told["ENS_SES_FROM"]}}


@pytest.mark.parametrize("name", EVERY)
def test_outside_the_sandbox_no_recipient_stands_in_the_policy(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    core = synthesised(name)["core"]
    identities = [
        resource
        for statement in core.statements(core.id_of("DeliverNotificationRole"))
        for resource in statement.resources
        if ":identity/" in resource
    ]
    assert len(identities) == 1


# What AWS's own principals do for this stack.


def test_lambda_may_keep_the_report_of_ses_that_a_function_could_not_record(stacks: Stacks) -> None:
    core = stacks["core"]
    wanted = of_dead_letters(core, "RecordFeedback")
    assert wanted
    assert wanted <= granted(core, role_of("RecordFeedback", core))


def test_the_pipe_takes_from_the_queue_and_starts_the_workflow_and_waits(stacks: Stacks) -> None:
    """EventBridge user guide, "Amazon EventBridge Pipes permissions": what an SQS source needs."""
    core = stacks["core"]
    pipe = core.properties("Pipe")
    queue, machine = one_form(text(pipe["Source"])), one_form(text(pipe["Target"]))
    key = one_form(text(core.properties("Queues/Events")["KmsMasterKeyId"]))
    log = f"<{core.id_of('Pipe/Logs')}>"
    waits = pipe["TargetParameters"]["StepFunctionStateMachineParameters"]["InvocationType"]
    start = {"REQUEST_RESPONSE": "StartSyncExecution", "FIRE_AND_FORGET": "StartExecution"}[waits]
    assert granted(core, core.id_of("Pipe/Role")) == {
        *(
            Grant(f"sqs:{action}", queue)
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ),
        Grant("kms:Decrypt", key, "sqs"),
        Grant(f"states:{start}", machine),
        *(Grant(f"logs:{action}", log) for action in ("CreateLogStream", "PutLogEvents")),
    }


def test_each_rule_may_call_its_function_and_no_other_may(stacks: Stacks) -> None:
    core = stacks["core"]
    called = {
        (one_form(text(target["Arn"])), f"<{rule}>")
        for rule, resource in core.of_type("AWS::Events::Rule").items()
        for target in resource["Properties"]["Targets"]
        if not is_log(target)
    }
    allowed = {
        (one_form(text(p["FunctionName"])), one_form(text(p["SourceArn"])))
        for p in (r["Properties"] for r in core.of_type("AWS::Lambda::Permission").values())
        if (p["Action"], p["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    }
    assert called == allowed
    assert len(called) == len(core.of_type("AWS::Lambda::Permission"))


def is_log(target: dict[str, Any]) -> bool:
    """Whether a rule's target is a log group, which has a policy and no permission of Lambda's."""
    return ":log-group:" in text(target["Arn"])


def test_each_rule_that_writes_a_log_may_write_that_log_and_no_other_rule_may(
    stacks: Stacks,
) -> None:
    """EventBridge user guide, "Resource-based policies": CloudWatch Logs permissions."""
    core = stacks["core"]
    written = {
        (one_form(text(target["Arn"])).partition(":log-group:")[2], f"<{rule}>")
        for rule, resource in core.of_type("AWS::Events::Rule").items()
        for target in resource["Properties"]["Targets"]
        if is_log(target)
    }
    allowed = set()
    for resource in core.of_type("AWS::Logs::ResourcePolicy").values():
        for statement in json.loads(text(resource["Properties"]["PolicyDocument"]))["Statement"]:
            assert statement["Effect"] == "Allow"
            if statement["Action"] == "logs:PutLogEvents":
                source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
                allowed.add((one_form(statement["Resource"]), one_form(source)))
    assert written == allowed


def test_the_log_stream_of_a_rule_is_made_by_a_call_that_names_no_rule(stacks: Stacks) -> None:
    """hashicorp/terraform-provider-aws issue 26628: with a condition on it, no event is written.

    The break-glass log, in which an investigator looks first, stayed empty.
    """
    core = stacks["core"]
    for resource in core.of_type("AWS::Logs::ResourcePolicy").values():
        document = json.loads(text(resource["Properties"]["PolicyDocument"]))
        for group in {statement["Resource"] for statement in document["Statement"]}:
            for service in ("events.amazonaws.com", "delivery.logs.amazonaws.com"):
                made = ServiceCall(service, "logs:CreateLogStream", group)
                assert policy.allowed(document, made), group
                written = ServiceCall(service, "logs:PutLogEvents", group)
                assert not policy.allowed(document, written), group


def test_a_rule_may_write_to_its_dead_letter_queue(stacks: Stacks) -> None:
    core = stacks["core"]
    for rule, resource in core.of_type("AWS::Events::Rule").items():
        for target in resource["Properties"]["Targets"]:
            if "DeadLetterConfig" not in target:
                continue
            queue = one_form(text(target["DeadLetterConfig"]["Arn"]))
            statements = [
                statement
                for policy in core.of_type("AWS::SQS::QueuePolicy").values()
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            ]
            assert any(
                statement["Action"] == "sqs:SendMessage"
                and statement.get("Principal") == {"Service": "events.amazonaws.com"}
                and one_form(text(statement["Resource"])) == queue
                and f"<{rule}>"
                in one_form(text(statement["Condition"]["ArnEquals"]["aws:SourceArn"]))
                for statement in statements
            )


def test_ecs_may_pull_the_receivers_image_and_write_its_log(
    synthesised: Callable[[str], Stacks],
) -> None:
    """ECR user guide, "Private repository policies"; ECS developer guide, "Task execution IAM role"."""
    ingress = synthesised("prod")["ingress"]
    grants = granted(ingress, ingress.id_of("Receiver/Task/ExecutionRole"))
    assert {grant.action for grant in grants} == {
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        *("ecr:GetAuthorizationToken", "logs:CreateLogStream", "logs:PutLogEvents"),
    }


@pytest.mark.parametrize("step", STEPS)
def test_only_functions_in_the_vpc_have_network_interfaces_and_their_code_cannot_make_any(
    step: str, stacks: Stacks
) -> None:
    core = stacks["core"]
    role = core.id_of(f"{step}Role")
    allowed = {g.action for g in granted(core, role) if g.action.startswith("ec2:")}
    denied = [s for s in core.statements(role) if s.effect == "Deny"]
    if "VpcConfig" not in core.properties(step):
        assert (allowed, denied) == (set(), [])
        return
    (statement,) = denied
    assert allowed == set(statement.actions) == INTERFACES
    (arn,) = statement.conditions["ArnEquals"].values()
    name = core.properties(step)["FunctionName"]
    assert text(arn).endswith(f":function:{name}")


def test_no_role_has_a_policy_of_aws_that_grows_by_itself(stacks: Stacks) -> None:
    attached: list[Any] = [
        template.resources[role]["Properties"].get("ManagedPolicyArns")
        for template, role in roles(stacks)
        # AWS Backup's role needs whatever AWS Backup does; only that service may assume it.
        if "backup.amazonaws.com"
        not in str(template.resources[role]["Properties"]["AssumeRolePolicyDocument"])
    ]
    assert not any(attached)
