"""The members of audit entries that a delivery's item has."""

from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyDecision,
    PolicyOutcome,
    RuleReference,
)
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger import entries
from lambdas.delivery.ledger.items import DeliveryItem


def test_another_reader_of_a_mail_has_an_entry_that_names_the_first() -> None:
    item = DeliveryItem(
        delivery_id="d", state=DeliveryState.SENT, recipient_ref="k1.first", patient_ref="k1.p"
    )
    found = entries.told_too(item, "k1.other")
    assert (found["recipient_ref"], found["told_with"]) == ("k1.other", "k1.first")
    assert found["patient_ref"] == "k1.p"


def test_a_decision_is_recorded_with_its_rule_and_the_parts_left_out() -> None:
    decision = PolicyDecision(
        outcome=PolicyOutcome.TELL_REDUCED,
        rule=RuleReference(file="us-federal", rule="minor", version="3"),
        left_out=(LeftOut.UNIT,),
    )
    found = entries.of_policy(decision)
    assert (found["policy_file"], found["policy_rule"], found["policy_version"]) == (
        *("us-federal", "minor", "3"),
    )
    assert found["left_out"] == (LeftOut.UNIT,)
