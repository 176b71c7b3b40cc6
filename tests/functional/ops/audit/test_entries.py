"""A forged item in the audit table is named, and ends no command that reads the audit."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

import boto3
import pytest
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.clock import now
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.audit.looks import chain_of
from ops.cop import spreadsheet
from ops.cop.events import EventFold
from ops.deployment import Deployment
from ops.disclosures.records import disclosures, readings
from ops.events.terminal import show
from ops.events.trail import TrailSource
from ops.output import console, print_json
from tests.conftest import SAMPLES
from tests.support.trails import told

Ens = Callable[..., Result]
EVENT = "a" * 32
ABSURD: list[Any] = [
    *(None, True, Decimal("1.5"), Decimal("9E+125"), ""),
    *("2026-11-26T10:00:00", "0001-01-01T00:00:00+14:00"),
    *(b"\xff", {"a"}, ["a"], [{}], {}),
]


def variants(items: list[Item]) -> Iterator[list[Item]]:
    """The items with one attribute missing in one of them, and with each absurd value in its place."""
    for number, item in enumerate(items):
        for name in item.keys() - {"event_id", "sk"}:
            lacking = {key: value for key, value in item.items() if key != name}
            for forged in (lacking, *({**item, name: value} for value in ABSURD)):
                yield [*items[:number], from_item(to_item(forged)), *items[number + 1 :]]


def test_no_type_of_an_attribute_ends_a_trace_or_an_account_with_a_traceback(
    context: LedgerContext,
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told(context, EVENT)
    genuine = chain.items(context, EVENT)
    assert readable(chain.entries_of(genuine)) == chain.entries_of(genuine)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("ops.events.queries.status_of", lambda *_: None)
    source, out, shown = TrailSource(deployment), console(), set[str]()
    for items in variants(genuine):
        monkeypatch.setattr(chain, "items", lambda *_, found=items: found)
        trail = source.event(EVENT)
        assert trail is not None
        if repr(trail) not in shown:  # most forgeries of an entry leave the same ones readable
            shown.add(repr(trail))
            show(trail, out)
            print_json(trail)
        entries = readable(chain.entries_of(items))
        disclosures(entries)
        readings(entries)
        fold = EventFold()
        for entry in entries:
            fold.add(entry)
        spreadsheet.write(list(fold.records().values()), StringIO())


@pytest.fixture
def forged(context: LedgerContext, ens: Ens) -> None:
    """A notified event of the sample's patient, and an item without an action in each chain."""
    assert ens("registry", "import", str(SAMPLES / "registry"), "--yes").exit_code == 0
    story = told(context, EVENT)
    moment = now()
    story.step("TrackEncounter", "DECIDED", event_kind="admission", received_at=moment)
    patient = context.reference_keys.reference("patient", "p-okafor")
    provider = context.reference_keys.reference("recipient", "dr-lindqvist")
    table = boto3.resource("dynamodb").Table("audit")
    for event_id in (EVENT, chain_of(moment[:10])):
        item = {"event_id": event_id, "sk": "x\n", "time": moment, "day": moment[:10]}
        item |= {"patient_ref": patient, "recipient_ref": provider}
        table.put_item(Item=item)
    for sort_key, facts in (
        ("y\n", {"action": "SENT", "outcome_time": f"ok#{moment}"}),
        ("z\n", {"action": "EXTRACTED", "outcome_time": f"ok#{moment}", "units": "many"}),
        ("w\n", {"warnings": "none", "outcome_time": f"warned#{moment}"}),
    ):
        table.put_item(Item={**item, "event_id": EVENT, "sk": sort_key, **facts})


@pytest.mark.usefixtures("forged")
@pytest.mark.parametrize(
    "command",
    [
        ("trace", EVENT),
        ("events",),
        ("events", "--warnings"),
        ("cost",),
        ("report", "cop", "--month", now()[:7], "--sender", "northgen"),
        ("audit", "looks"),
        ("audit", "patient", "--identifier", "H00412", "--authority", "NORTHGEN"),
        ("audit", "provider", "--id", "dr-lindqvist"),
    ],
)
def test_a_command_that_reads_the_audit_names_a_forged_item_and_shows_the_rest(
    ens: Ens, command: tuple[str, ...]
) -> None:
    found = ens(*command)
    assert found.exit_code == 0, found.output
    assert "? of event" in found.stderr.partition("Left out: entry ")[2]
    assert "damaged (AuditEntry: " in found.stderr


@pytest.mark.usefixtures("forged")
@pytest.mark.parametrize("damage", [{"status": "DONE"}, {"updated_at": "soon"}, {"sender": 5}])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("events",), 0),
        (("trace", EVENT), 0),
        (("dlq", "list"), 0),
        # Broken, for the forged entries.
        (("audit", "verify"), 1),
    ],
)
def test_a_forged_status_ends_no_command_and_hides_no_event_from_the_verifier(
    ens: Ens, context: LedgerContext, damage: Item, command: tuple[str, ...], code: int
) -> None:
    table = boto3.resource("dynamodb").Table(context.settings.status_table)
    moment = now()
    genuine = {"status": "OPEN", "updated_at": moment, "received_at": moment, "day": moment[:10]}
    table.put_item(Item={**genuine, "event_id": "f" * 32, **damage})
    found = ens(*command)
    assert found.exit_code == code, found.output
    if command == ("events",):
        assert f"Left out: the status of event {'f' * 32}" in found.stderr
    if command == ("audit", "verify"):
        assert f"{'f' * 32}  broken" in found.output
