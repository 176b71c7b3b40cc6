import json
from collections.abc import Callable

from click.testing import Result

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.audit import entry


def extracted(context: LedgerContext, event_id: str, **units: int) -> None:
    chain.append(context, event_id, entry("ExtractEntities", "EXTRACTED", units=units))


def test_units_are_summed_by_operation_with_their_price(
    context: LedgerContext, ens: Callable[..., Result]
) -> None:
    ens("cost")  # binds the deployment
    extracted(context, "a" * 32, DetectEntitiesV2=6, InferICD10CM=6)
    extracted(context, "b" * 32, InferICD10CM=4, InferRxNorm=4)
    extracted(context, "c" * 32)
    result = ens("cost", "--days", "1", "--json")
    sums = {line["operation"]: line for line in json.loads(result.output)}
    assert {name: (line["events"], line["units"]) for name, line in sums.items()} == {
        "DetectEntitiesV2": (1, 6),
        "InferICD10CM": (2, 10),
        "InferRxNorm": (1, 4),
    }
    assert round(sums["DetectEntitiesV2"]["usd"], 4) == 0.06
    assert "20 units, 0.0660 USD" in ens("cost", "--days", "1").output


def test_a_day_on_which_nothing_was_asked_costs_nothing(ens: Callable[..., Result]) -> None:
    assert (
        "No requests to Comprehend Medical in the last 3 days" in ens("cost", "--days", "3").output
    )
