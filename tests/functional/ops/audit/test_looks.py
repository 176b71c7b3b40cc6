"""A look at a dead letter, a stay, the registry or a rejected message leaves an entry first."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.track_encounter.tracking import track
from ops.audit.looks import chain_of
from tests.conftest import ROOT
from tests.support.deployment import ME
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, PROFILE, I, message
from tests.support.trails import poison, told

Ens = Callable[..., Result]
SEEDS = str(ROOT / "samples" / "registry")
FAILED, TOLD = "b" * 32, "a" * 32
KEY = f"rejected/{now()[:10]}/0a1b"


@pytest.fixture(autouse=True)
def world(context: LedgerContext, aws: Any, ens: Ens) -> None:
    """A dead letter, a stay, a roster and a rejected message."""
    poison(context, FAILED, "MSG00002")
    told(context, TOLD)
    track(table_of(aws.client("dynamodb")), message("A01", 0, I, TOLD), PROFILE, lambda: NOON)
    aws.client("s3").put_object(Bucket="vault", Key=KEY, Body=b"x", Metadata={"reason": "batch"})
    assert ens("registry", "import", SEEDS, "--yes").exit_code == 0


def looks(context: LedgerContext) -> list[dict[str, Any]]:
    return chain.entries(context, chain_of(now()[:10]))


LOOKS = [
    (("dlq", "show", FAILED), "dead_letter", FAILED, "UnprocessableMessageError"),
    (("encounters", "show", TOLD), "stay", None, "Stay"),
    (("encounters", "orphans"), "stays", "", "found its stay"),
    (("roster", "list"), "registry", "roster list", "No rosters"),
    (("roster", "end", "dr-chen"), "registry", "roster end", "no roster"),
    (("registry", "import", SEEDS, "--dry-run"), "registry", "registry import", "unchanged"),
    (("rejected", "show", KEY), "rejected_messages", KEY, "Batch"),
    (("rejected", "list"), "rejected_messages", "", "batch"),
]


@pytest.mark.parametrize(("command", "looked_at", "looked_at_id", "shown"), LOOKS)
def test_a_look_is_in_the_audit_with_the_person_and_the_thing(
    command: tuple[str, ...],
    looked_at: str,
    looked_at_id: str | None,
    shown: str,
    context: LedgerContext,
    ens: Ens,
) -> None:
    result = ens(*command)
    assert (result.exit_code, shown in result.output) == (0, True), result.output
    *_, entry = looks(context)
    assert (entry["action"], entry["actor"]) == ("LOOKED", f"operator:{ME}")
    assert entry["looked_at"] == looked_at
    assert looked_at_id in (None, entry.get("looked_at_id", ""))


@pytest.mark.parametrize(("command", "shown"), [(command, shown) for command, *_, shown in LOOKS])
def test_a_look_that_cannot_be_audited_shows_nothing(
    command: tuple[str, ...], shown: str, ens: Ens, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems")
    monkeypatch.setattr(chain, "append", lambda *_: (_ for _ in ()).throw(refused))
    result = ens(*command)
    assert (result.exit_code, shown in result.output) == (1, False)
    assert result.output.startswith("Error: These credentials may not call")


def test_lists_and_traces_of_events_leave_no_entry(context: LedgerContext, ens: Ens) -> None:
    before = looks(context)
    for command in (("events",), ("trace", TOLD), ("dlq", "list"), ("deliveries", "held")):
        assert ens(*command).exit_code == 0
    assert looks(context) == before


def test_the_looks_of_a_period_are_listed(context: LedgerContext, ens: Ens) -> None:
    ens("dlq", "show", FAILED)
    assert "2 looks." in ens("audit", "looks").output
    assert "0 looks." in ens("audit", "looks", "--from", "2026-01-01", "--to", "2026-01-03").output
    wrong = ens("audit", "looks", "--from", "2026-01-03", "--to", "2026-01-01")
    assert (wrong.exit_code, "before --from" in wrong.output) == (2, True)
