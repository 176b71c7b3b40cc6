"""The audit entries of a delivery's outcome."""

import pytest

from lambdas.common.contracts.audit import AuditAction
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery import audit


def test_every_state_in_which_a_run_may_end_has_an_audit_action() -> None:
    on_the_way = {DeliveryState.CLAIMED, DeliveryState.SENDING}
    assert set(DeliveryState) - set(audit.RECORDED_AS) == on_the_way
    assert set(audit.COUNTED_AS) <= set(audit.RECORDED_AS)


@pytest.mark.parametrize(("state", "recorded"), audit.RECORDED_AS.items())
def test_a_state_is_recorded_under_its_own_name(
    state: DeliveryState, recorded: tuple[AuditAction, object]
) -> None:
    assert recorded[0].lower() == state
