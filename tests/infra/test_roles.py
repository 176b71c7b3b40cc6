"""Promises about who may open what, which hold whatever the code calls."""

from lambdas.extract_entities import turns
from tests.infra.template import Template

MESSAGE, EVENT = "events/1/message.hl7", "events/1/event.json"


def test_extract_entities_changes_one_item_of_the_ledger_and_no_delivery(core: Template) -> None:
    ledger = f"<{core.id_of('Tables/Ledger')}.Arn>"
    [statement] = [
        s for s in core.statements(core.id_of("ExtractEntitiesRole")) if ledger in s.resources
    ]
    assert statement.conditions == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [turns.KEY]}
    }


def test_only_lookup_identities_and_the_registrar_can_open_the_registry(core: Template) -> None:
    key = f"<{core.id_of('Keys/Registry')}.Arn>"
    roles = core.of_type("AWS::IAM::Role")
    assert {role for role in roles if core.allowed(role, "kms:Decrypt", key)} == {
        core.id_of("LookupIdentitiesRole"),
        core.id_of("People/Registrar"),
    }


def test_only_the_registrar_writes_master_data_and_by_update_alone(core: Template) -> None:
    """UpdateItem is how `ens subscribers`, `ens providers` and `ens load` write the registry."""
    registry = f"<{core.id_of('Tables/Registry')}.Arn>"
    writing = {
        (role, action)
        for role in core.of_type("AWS::IAM::Role")
        for action in ("PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem")
        if core.allowed(role, f"dynamodb:{action}", registry)
    }
    assert writing == {(core.id_of("People/Registrar"), "UpdateItem")}


def test_no_role_deletes_audit_or_ledger_items_or_vault_objects(core: Template) -> None:
    for role in core.of_type("AWS::IAM::Role"):
        for statement in core.statements(role):
            deleting = [
                a for a in statement.actions if "Delete" in a and statement.effect == "Allow"
            ]
            assert not [a for a in deleting if a.startswith(("dynamodb:", "s3:"))], role


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
