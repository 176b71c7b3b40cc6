"""What functions and receiver do is granted to their roles, on its target and key, and nothing beyond."""

import pytest

from infra.people_grants import LOOK_ON
from tests.infra.conftest import Stacks
from tests.infra.template import STEPS, Resource, Template, may_use, text

MESSAGE, EVENT = "events/1/message.hl7", "events/1/event.json"
IDENTITIES, CLINICAL, MAIL = (
    "events/1/identities.json",
    "events/1/clinical.json",
    "events/1/mail/2.eml",
)
# What each step does, by its own contract: documents read and written, tables touched.
READS = {
    "ParseMessage": {MESSAGE},
    "LookupIdentities": {EVENT, IDENTITIES},
    "ExtractEntities": {EVENT},
    "DeliverNotification": {EVENT, IDENTITIES, CLINICAL, MAIL},
    "RecordFeedback": set(),
    "ReleaseDeliveries": set(),
}
WRITES = {
    "ParseMessage": {EVENT},
    "LookupIdentities": {IDENTITIES},
    "ExtractEntities": {CLINICAL},
    "DeliverNotification": {MAIL},
    "RecordFeedback": set(),
    "ReleaseDeliveries": set(),
}
TABLES = {
    "ParseMessage": {"Status": {"GetItem", "UpdateItem"}},
    "LookupIdentities": {
        "Ledger": {"GetItem", "UpdateItem"},
        "Registry": {"BatchGetItem", "GetItem", "Query"},
        "Lookups": {"BatchGetItem", "BatchWriteItem", "PutItem"},
    },
    "ExtractEntities": {},
    "DeliverNotification": {"Ledger": {"GetItem", "PutItem", "UpdateItem"}},
    "RecordFeedback": {"Ledger": {"GetItem", "PutItem", "UpdateItem"}},
    "ReleaseDeliveries": {"Ledger": {"GetItem", "UpdateItem"}},
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


def test_only_lookup_identities_and_the_registrar_can_open_the_registry(core: Template) -> None:
    key = f"<{core.id_of('Keys/Registry')}.Arn>"
    roles = core.of_type("AWS::IAM::Role")
    assert {role for role in roles if core.allowed(role, "kms:Decrypt", key)} == {
        core.id_of("LookupIdentitiesRole"),
        core.id_of("People/Registrar"),
    }


def test_a_release_finds_what_is_held_and_has_it_delivered(core: Template) -> None:
    held = f"<{core.id_of('Tables/Ledger')}.Arn>/index/by_state"
    assert core.allowed(core.id_of("ReleaseDeliveriesRole"), "dynamodb:Query", held)
    deliver = f"<{core.id_of('DeliverNotification')}.Arn>"
    assert core.allowed(core.id_of("ReleaseDeliveriesRole"), "lambda:InvokeFunction", deliver)


def test_rosters_that_end_are_found_by_their_index_and_nobody_writes_master_data(
    core: Template,
) -> None:
    registry = f"<{core.id_of('Tables/Registry')}.Arn>"
    look_up = core.id_of("LookupIdentitiesRole")
    assert core.allowed(look_up, "dynamodb:Query", f"{registry}/index/by_roster_end")
    for action in ("PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem"):
        assert not core.allowed(look_up, f"dynamodb:{action}", registry)


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
            "comprehendmedical:InferRxNorm",
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
    "comprehendmedical:InferRxNorm",
    *("ecr:GetAuthorizationToken", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
    # How a function gets its network interfaces, and a workflow its log.
    *("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:DescribeSubnets"),
    *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    "ec2:DescribeNetworkInterfaces",
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
    # Lists and metrics, by which an operator looks on.
    *LOOK_ON,
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
