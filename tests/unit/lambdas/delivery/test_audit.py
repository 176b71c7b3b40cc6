"""The audit entries of a delivery's outcome."""

import pytest

from lambdas.common.contracts.audit import AuditAction
from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyDecision,
    PolicyOutcome,
    RuleReference,
)
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery import audit
from lambdas.delivery.ledger.items import DeliveryItem


def test_every_state_in_which_a_run_may_end_has_an_audit_action() -> None:
    on_the_way = {DeliveryState.CLAIMED, DeliveryState.SENDING}
    assert set(DeliveryState) - set(audit.RECORDED_AS) == on_the_way
    assert set(audit.COUNTED_AS) <= set(audit.RECORDED_AS)


@pytest.mark.parametrize(("state", "recorded"), audit.RECORDED_AS.items())
def test_a_state_is_recorded_under_its_own_name(
    state: DeliveryState, recorded: tuple[AuditAction, object]
) -> None:
    assert recorded[0].lower() == state


def test_another_reader_of_a_mail_has_an_entry_that_names_the_first() -> None:
    item = DeliveryItem(
        delivery_id="d", state=DeliveryState.SENT, recipient_ref="k1.first", patient_ref="k1.p"
    )
    found = audit.told_too(item, "k1.other")
    assert (found["recipient_ref"], found["told_with"]) == ("k1.other", "k1.first")
    assert found["patient_ref"] == "k1.p"


def test_a_decision_is_recorded_with_its_rule_and_the_parts_left_out() -> None:
    decision = PolicyDecision(
        outcome=PolicyOutcome.TELL_REDUCED,
        rule=RuleReference(file="us-federal", rule="minor", version="3"),
        left_out=(LeftOut.UNIT,),
    )
    found = audit.of_policy(decision)
    assert (found["policy_file"], found["policy_rule"], found["policy_version"]) == (
        *("us-federal", "minor", "3"),
    )
    assert found["left_out"] == (LeftOut.UNIT,)
