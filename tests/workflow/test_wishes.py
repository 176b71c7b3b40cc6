"""The analysis of the notes through the whole workflow: nothing is paid for that no recipient sees."""

import pytest

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.extract_entities.comprehend_medical.comprehend import CONFIG
from lambdas.registry.keys import provider_key
from tests.support.broken import refusing
from tests.support.messages import sample, vaulted
from tests.support.workflow import DeployedWorkflow
from tests.workflow.real import addresses_told, texts_sent

PETRA, WEI = "dr-lindqvist", "dr-chen"


def wants(context: LedgerContext, provider: str, **wishes: str) -> None:
    """Writes a provider's choices into the registry, as an import does."""
    key = provider_key(provider)
    for name, value in wishes.items():
        context.client("dynamodb").update_item(
            TableName="registry",
            Key={"pk": {"S": key["pk"]}, "sk": {"S": key["sk"]}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"S": value}},
        )


def told(context: LedgerContext, whole: DeployedWorkflow) -> tuple[dict[str, str], dict[str, int]]:
    """The text that each of the two got, by their surname, and the units that were billed."""
    envelope = vaulted(sample("two_recipients"))
    assert whole.run(whole.send(envelope))["status"] == "SUCCEEDED"
    assert sum(addresses_told().values()) == 2
    texts = {t.partition("\nPatient:")[0].split()[-1]: t for t in texts_sent()}
    entries = chain.entries(context, envelope["event_id"])
    return texts, next(e for e in entries if e["action"] == "EXTRACTED")["units"]


def test_two_readers_with_two_wishes_share_one_analysis_and_each_sees_their_own(
    context: LedgerContext,
    whole: DeployedWorkflow,
) -> None:
    wants(context, PETRA, analysis="off")
    texts, units = told(context, whole)
    assert set(units) == {"DetectEntitiesV2", "InferICD10CM"}
    assert "furosemide" in texts["Chen"]
    assert "furosemide" not in texts["Lindqvist"]
    assert "analysed for you, as set" in texts["Lindqvist"]


def test_readers_who_want_codes_are_served_by_the_cheap_operations(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    wants(context, PETRA, analysis="coded")
    wants(context, WEI, analysis="coded")
    texts, units = told(context, whole)
    assert set(units) == {"InferICD10CM", "InferRxNorm"}
    assert "furosemide, 40 mg (RxNorm" in texts["Chen"]


@pytest.mark.parametrize("wishes", [{"analysis": "off"}, {"detail": "minimal"}])
def test_when_nobody_will_see_a_finding_nothing_is_asked(
    context: LedgerContext, whole: DeployedWorkflow, wishes: dict[str, str]
) -> None:
    wants(context, PETRA, **wishes)
    wants(context, WEI, **wishes)
    with refusing(context.client("comprehendmedical", CONFIG), "*", "Unasked") as asked:
        _, units = told(context, whole)
    assert (asked, units) == ([], {})


@pytest.mark.parametrize("name", ["no_recipient", "bed_move", "merge"])
def test_when_nobody_is_told_nothing_is_asked(
    context: LedgerContext, whole: DeployedWorkflow, name: str
) -> None:
    with refusing(context.client("comprehendmedical", CONFIG), "*", "Unasked") as asked:
        assert whole.run(whole.send(vaulted(sample(name))))["status"] == "SUCCEEDED"
    assert asked == []


def test_a_replay_finds_the_analysis_in_the_vault(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    envelope = vaulted(sample("two_recipients"))
    whole.run(whole.send(envelope))
    with refusing(context.client("comprehendmedical", CONFIG), "*", "Unasked") as asked:
        execution = whole.run(whole.send({**envelope, "replay": "an operator"}))
    assert execution["status"] == "SUCCEEDED"
    assert asked == []


def test_a_french_note_is_not_sent_and_the_notification_says_so(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    french = sample("two_recipients").replace(
        b"Admitted with congestive heart failure and atrial fibrillation. Takes furosemide 40 mg"
        b" and warfarin. No evidence of pneumonia.",
        "Admis pour une insuffisance cardiaque avec de la fièvre depuis hier.".encode(),
    )
    assert b"insuffisance" in french
    with refusing(context.client("comprehendmedical", CONFIG), "*", "Unasked") as asked:
        assert whole.run(whole.send(vaulted(french)))["status"] == "SUCCEEDED"
    assert asked == []
    assert all("not analysed: not in English (in report 1)" in text for text in texts_sent())
