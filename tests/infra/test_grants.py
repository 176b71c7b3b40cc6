"""Every call that workflow, pipe, functions and receiver make is granted, and nothing beyond."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import Resource, Template, text

STEPS = (
    *("ParseMessage", "LookupIdentities", "ExtractEntities", "DeliverNotification"),
    "RecordFeedback",
)
ITEM_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Task state by name, those inside a Map among them."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"]["States"])


DEFINITION = json.loads((ROOT / "statemachine" / "patient_event.asl.json").read_text("utf-8"))
TASKS = dict(tasks(DEFINITION["States"]))


def needs(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a Task state calls: an action and the substitution or name of its target."""
    resource, parameters = state["Resource"], state["Parameters"]
    match resource.rsplit(":", 1)[-1]:
        case "transactWriteItems":
            for item in parameters["TransactItems"]:
                ((verb, call),) = item.items()
                yield ITEM_ACTIONS[verb], call["TableName"]
        case "sendMessage":
            yield "sqs:SendMessage", parameters["QueueUrl"]
        case "deleteMessage":
            yield "sqs:DeleteMessage", parameters["QueueUrl"]
        case "changeMessageVisibility":
            yield "sqs:ChangeMessageVisibility", parameters["QueueUrl"]
        case _ if resource.startswith("${"):
            yield "lambda:InvokeFunction", resource
        case _:
            pytest.fail(f"no rule here says which grant {resource} needs")


CALLS = [(name, *need) for name, state in TASKS.items() for need in needs(state)]


@pytest.mark.parametrize(("state", "action", "target"), CALLS)
def test_the_workflow_may_do_what_its_states_do(
    state: str, action: str, target: str, core: Template
) -> None:
    role = core.id_of("Workflow/Role")
    logical_id = resolved(core, target)
    assert core.allowed(role, action, f"<{logical_id}.Arn>"), (state, action, logical_id)
    for key_action, key, service in key_needs(core, action, logical_id):
        assert may_use(core, role, key_action, key, service), (state, key_action, key)


def resolved(template: Template, substitution: str) -> str:
    """The logical id of the resource that a `${Name}` of the definition stands for."""
    machine = template.properties("Workflow/StateMachine")
    value = machine["DefinitionSubstitutions"][substitution.strip("${}")]
    return value["Ref"] if "Ref" in value else str(value["Fn::GetAtt"][0])


def key_needs(template: Template, action: str, target: str) -> list[tuple[str, str, str]]:
    """The use of a key that comes with a call, by the key of the call's target."""
    resource = template.resources[target]["Properties"]
    if action.startswith("dynamodb:"):
        key = text(resource["SSESpecification"]["KMSMasterKeyId"])
        return [("kms:Decrypt", key, "dynamodb")]
    if action == "sqs:SendMessage":
        key = text(resource["KmsMasterKeyId"])
        return [("kms:GenerateDataKey", key, "sqs"), ("kms:Decrypt", key, "sqs")]
    return []


def may_use(template: Template, role: str, action: str, key: str, service: str) -> bool:
    via = {"StringEquals": {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}}
    return any(s.conditions == via for s in template.allowed(role, action, key))


def test_the_definition_is_the_file_and_nothing_in_it_stays_open(core: Template) -> None:
    machine = core.properties("Workflow/StateMachine")
    definition = machine["DefinitionString"]
    assert json.loads(definition) == DEFINITION
    open_names = {part.split("}")[0] for part in definition.split("${")[1:]}
    assert open_names == set(machine["DefinitionSubstitutions"])


def test_each_step_is_the_function_of_its_name(core: Template) -> None:
    for name in STEPS[:4]:
        assert resolved(core, f"${{{name}Arn}}") == core.id_of(name)


def test_the_workflow_may_do_nothing_that_no_state_does(core: Template) -> None:
    called = {(action, f"<{resolved(core, target)}.Arn>") for _, action, target in CALLS}
    granted = {
        (action, resource)
        for statement in core.statements(core.id_of("Workflow/Role"))
        for action in statement.actions
        for resource in statement.resources
        if not action.startswith(("kms:", "logs:", "xray:"))
    }
    assert granted == called


def test_the_machine_is_express_logs_everything_and_is_traced(core: Template) -> None:
    machine = core.properties("Workflow/StateMachine")
    assert machine["StateMachineType"] == "EXPRESS"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is True
    assert machine["TracingConfiguration"] == {"Enabled": True}
    name = core.properties("Workflow/Logs")["LogGroupName"]
    assert name.startswith("/aws/vendedlogs/states/")


def test_the_pipe_brings_one_message_at_a_time_and_waits(core: Template) -> None:
    pipe = core.properties("Pipe")
    assert text(pipe["Source"]) == f"<{core.id_of('Queues/Events')}.Arn>"
    assert pipe["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 1}}
    assert text(pipe["Target"]) == f"<{core.id_of('Workflow/StateMachine')}>"
    assert pipe["TargetParameters"] == {
        "StepFunctionStateMachineParameters": {"InvocationType": "REQUEST_RESPONSE"}
    }
    assert "IncludeExecutionData" not in pipe["LogConfiguration"]


def test_the_pipe_may_take_from_the_queue_and_start_the_workflow(core: Template) -> None:
    role = core.id_of("Pipe/Role")
    queue = f"<{core.id_of('Queues/Events')}.Arn>"
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        assert core.allowed(role, f"sqs:{action}", queue)
    machine = f"<{core.id_of('Workflow/StateMachine')}>"
    assert core.allowed(role, "states:StartSyncExecution", machine)
    key = text(core.properties("Queues/Events")["KmsMasterKeyId"])
    assert may_use(core, role, "kms:Decrypt", key, "sqs")


MESSAGE, EVENT = "events/1/message.hl7", "events/1/event.json"
IDENTITIES, CLINICAL, MAIL = (
    "events/1/identities.json",
    "events/1/clinical.json",
    "events/1/mail/2.eml",
)
# What each step does, by its own contract: documents read and written, tables touched.
READS = {
    "ParseMessage": {MESSAGE},
    "LookupIdentities": {EVENT},
    "ExtractEntities": {EVENT},
    "DeliverNotification": {EVENT, IDENTITIES, CLINICAL, MAIL},
    "RecordFeedback": set(),
}
WRITES = {
    "ParseMessage": {EVENT},
    "LookupIdentities": {IDENTITIES},
    "ExtractEntities": {CLINICAL},
    "DeliverNotification": {MAIL},
    "RecordFeedback": set(),
}
TABLES = {
    "ParseMessage": {"Status": {"GetItem", "UpdateItem"}},
    "LookupIdentities": {"Registry": {"BatchGetItem", "GetItem", "Query"}},
    "ExtractEntities": {},
    "DeliverNotification": {"Ledger": {"GetItem", "PutItem", "UpdateItem"}},
    "RecordFeedback": {"Ledger": {"GetItem", "Query", "UpdateItem"}},
}
DOCUMENTS = (MESSAGE, EVENT, IDENTITIES, CLINICAL, MAIL, "rejected/2026-11-23/1")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_reads_and_writes_its_own_documents_and_no_others(step: str, core: Template) -> None:
    role, bucket = core.id_of(f"{step}Role"), f"<{core.id_of('Vault/Bucket')}.Arn>"
    key = f"<{core.id_of('Keys/Vault')}.Arn>"
    for actions, expected, key_action in (
        (("s3:GetObject", "s3:GetObjectVersion"), READS[step], "kms:Decrypt"),
        (("s3:PutObject",), WRITES[step], "kms:GenerateDataKey"),
    ):
        for action in actions:
            may = {d for d in DOCUMENTS if core.allowed(role, action, f"{bucket}/{d}")}
            assert may == expected, action
        assert may_use(core, role, key_action, key, "s3") is bool(expected)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_touches_its_own_tables_and_the_audit(step: str, core: Template) -> None:
    role = core.id_of(f"{step}Role")
    expected = {"Audit": {"GetItem", "PutItem", "Query"}, **TABLES[step]}
    for name in ("Audit", "Status", "Ledger", "Registry"):
        table = f"<{core.id_of(f'Tables/{name}')}.Arn>"
        granted = {
            action.removeprefix("dynamodb:")
            for statement in core.statements(role)
            for action in statement.actions
            if action.startswith("dynamodb:") and table in statement.resources
        }
        assert granted == expected.get(name, set()), name
    for name in expected:
        key = text(core.properties(f"Tables/{name}")["SSESpecification"]["KMSMasterKeyId"])
        assert may_use(core, role, "kms:Decrypt", key, "dynamodb")


def test_only_lookup_identities_can_open_the_registry(core: Template) -> None:
    key = f"<{core.id_of('Keys/Registry')}.Arn>"
    roles = core.of_type("AWS::IAM::Role")
    assert [role for role in roles if core.allowed(role, "kms:Decrypt", key)] == [
        core.id_of("LookupIdentitiesRole")
    ]


def test_a_reused_control_id_is_found_by_its_index(core: Template) -> None:
    index = f"<{core.id_of('Tables/Audit')}.Arn>/index/by_message_control_id"
    assert core.allowed(core.id_of("ParseMessageRole"), "dynamodb:Query", index)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_reads_both_key_secrets(step: str, core: Template) -> None:
    role = core.id_of(f"{step}Role")
    for secret in ("ReferenceKey", "AuditKey"):
        arn = f"<{core.id_of(f'Secrets/{secret}')}>"
        assert core.allowed(role, "secretsmanager:GetSecretValue", arn)
    key = f"<{core.id_of('Keys/Records')}.Arn>"
    assert may_use(core, role, "kms:Decrypt", key, "secretsmanager")


def test_notifications_leave_by_the_identity_and_configuration_set_of_the_environment(
    core: Template,
) -> None:
    (statement,) = (
        s
        for s in core.statements(core.id_of("DeliverNotificationRole"))
        if "ses:SendEmail" in s.actions
    )
    environment = core.name.removesuffix("-core")
    identity, configuration_set = sorted(statement.resources, key=lambda r: "set/" in r)
    assert identity.endswith("ens.example")
    assert configuration_set.endswith(f":configuration-set/{environment}")


def test_only_the_clinical_step_may_ask_comprehend_medical(core: Template) -> None:
    asked = {
        role: {a for s in core.statements(role) for a in s.actions if a.startswith("comprehend")}
        for role in core.of_type("AWS::IAM::Role")
    }
    assert {role: actions for role, actions in asked.items() if actions} == {
        core.id_of("ExtractEntitiesRole"): {
            "comprehendmedical:DetectEntitiesV2",
            "comprehendmedical:InferICD10CM",
        }
    }


def test_the_receiver_writes_and_sends_but_can_decrypt_nothing_of_it(core: Template) -> None:
    role, bucket = core.id_of("ReceiverRole"), f"<{core.id_of('Vault/Bucket')}.Arn>"
    for document in (MESSAGE, "rejected/2026-11-23/1"):
        assert core.allowed(role, "s3:PutObject", f"{bucket}/{document}")
    assert core.allowed(role, "s3:GetObject", f"{bucket}/{MESSAGE}")
    assert not core.allowed(role, "s3:GetObject", f"{bucket}/{EVENT}")
    assert core.allowed(role, "s3:ListBucket", bucket)
    queue = f"<{core.id_of('Queues/Events')}.Arn>"
    for action in ("sqs:SendMessage", "sqs:GetQueueAttributes"):
        assert core.allowed(role, action, queue)
    assert not core.allowed(role, "sqs:ReceiveMessage", queue)
    vault, queues = (f"<{core.id_of(f'Keys/{name}')}.Arn>" for name in ("Vault", "Queues"))
    assert may_use(core, role, "kms:GenerateDataKey", vault, "s3")
    assert not core.allowed(role, "kms:Decrypt", vault)
    assert may_use(core, role, "kms:GenerateDataKey", queues, "sqs")
    secrets = {
        r
        for s in core.statements(role)
        if "secretsmanager:GetSecretValue" in s.actions
        for r in s.resources
    }
    assert secrets == {f"<{core.id_of('Secrets/ReferenceKey')}>"}


# Actions for which AWS knows no resource (service authorization reference).
WITHOUT_RESOURCE = {
    *("comprehendmedical:DetectEntitiesV2", "comprehendmedical:InferICD10CM"),
    *("ecr:GetAuthorizationToken", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
    # How a function gets its network interfaces, and a workflow its log.
    *("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:DescribeSubnets"),
    *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    "ec2:DescribeNetworkInterfaces",
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
}


@pytest.mark.parametrize("stack", ["network", "core", "ingress"])
def test_no_role_may_do_everything_to_anything(stack: str, prod: Stacks) -> None:
    template = prod[stack]
    for role in template.of_type("AWS::IAM::Role"):
        for statement in template.statements(role):
            if statement.effect == "Allow":
                assert [a for a in statement.actions if "*" in a] == [], role
                if "*" in statement.resources:
                    assert set(statement.actions) <= WITHOUT_RESOURCE, role


@pytest.mark.parametrize("stack", ["network", "core", "ingress"])
def test_no_role_has_a_policy_of_aws_that_grows_by_itself(stack: str, prod: Stacks) -> None:
    roles: list[Resource] = list(prod[stack].of_type("AWS::IAM::Role").values())
    assert [r for r in roles if r["Properties"].get("ManagedPolicyArns")] == []


def test_the_code_of_a_function_cannot_make_network_interfaces(prod: Stacks) -> None:
    for step in STEPS:
        denied = [
            s
            for s in prod["core"].statements(prod["core"].id_of(f"{step}Role"))
            if s.effect == "Deny"
        ]
        (statement,) = denied
        assert "ec2:CreateNetworkInterface" in statement.actions
        (arn,) = statement.conditions["ArnEquals"].values()
        assert text(arn).endswith(f":function:hl7-ens-prod-{step}")
