"""`ens registry` and `ens roster` against a table: checked first, written whole, and again without harm."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.aws.items import from_item
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.registry import table
from lambdas.registry.importing.plan import items_of_folder
from ops.master_data.rosters import today
from tests.conftest import ROOT
from tests.support.deployment import ME

SEEDS = ROOT / "samples" / "registry"
Ens = Callable[..., Result]


def stored(aws: Any) -> dict[tuple[str, str], dict[str, Any]]:
    items = map(from_item, aws.client("dynamodb").scan(TableName="registry")["Items"])
    return {(item["pk"], item["sk"]): item for item in items}


def lookup(context: LedgerContext) -> LookupContext:
    """The context with which LookupIdentities reads the registry."""
    return LookupContext(LookupSettings.from_environment(), context.clients)


@pytest.fixture
def imported(ens: Ens) -> None:
    assert ens("registry", "import", str(SEEDS), "--yes").exit_code == 0


@pytest.fixture
def panel(tmp_path: Path) -> Callable[..., str]:
    """A roster's file with these lines."""

    def write(*lines: str, header: str = "authority,value", name: str = "panel.csv") -> str:
        file = tmp_path / name
        file.write_text("\n".join([header, *lines] if header else lines) + "\n")
        return str(file)

    return write


def copied(folder: Path, **changes: tuple[str, str]) -> Path:
    for file in SEEDS.glob("*.csv"):
        text = file.read_text()
        if file.stem in changes:
            text = text.replace(*changes[file.stem])
        (folder / file.name).write_text(text)
    return folder


def test_an_import_is_checked_by_a_dry_run_and_written_without_it(ens: Ens, aws: Any) -> None:
    assert "Dry run" in ens("registry", "import", str(SEEDS), "--dry-run").output
    assert stored(aws) == {}
    done = ens("registry", "import", str(SEEDS), "--yes")
    assert done.exit_code == 0, done.output
    assert stored(aws)["identifier#NORTHGEN#H00412", "patient"]["patient_id"] == "p-okafor"


def test_a_second_import_changes_nothing(ens: Ens, aws: Any, imported: None) -> None:
    before = stored(aws)
    assert ens("registry", "import", str(SEEDS), "--yes").exit_code == 0
    assert stored(aws) == before


def test_one_bad_row_names_file_line_and_column_and_imports_nothing(
    ens: Ens, aws: Any, tmp_path: Path
) -> None:
    folder = copied(tmp_path, patients=("1958-02-14", "14.02.1958"))
    done = ens("registry", "import", str(folder), "--yes")
    assert done.exit_code == 1
    assert "patients.csv line 3, birth_date: is not a date" in done.output
    assert "14.02.1958" not in done.output
    assert stored(aws) == {}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """A folder with these files of the registry, each given as its lines."""

    def write(**files: str) -> str:
        made = tmp_path / "import"
        made.mkdir(exist_ok=True)
        for name, lines in files.items():
            (made / f"{name}.csv").write_text(lines)
        return str(made)

    return write


CHOSEN = (
    "provider_id,detail,notify,surrogate,away_from,away_until\n"
    "dr-smith,minimal,,dr-chen,2026-12-20,2027-01-03\n"
    "dr-lindqvist,,no,,,\n"
)


def test_an_import_without_the_columns_of_a_providers_choices_leaves_them(
    context: LedgerContext, ens: Ens, aws: Any, imported: None, folder: Callable[..., str]
) -> None:
    assert ens("registry", "import", folder(providers=CHOSEN), "--yes").exit_code == 0
    names = "provider_id,family,email\ndr-smith,Smith,j.smith@new.example\n"
    done = ens("registry", "import", folder(providers=names), "--yes")
    assert done.exit_code == 0, done.output
    assert "providers.csv line 2: changed email" in done.output
    assert "new.example" not in done.output
    known = table.providers(lookup(context), ["dr-smith", "dr-lindqvist"])
    smith, lindqvist = known["dr-smith"], known["dr-lindqvist"]
    assert smith.address == "j.smith@new.example"
    assert (smith.preferences.detail, smith.absence.surrogate) == ("minimal", "dr-chen")
    assert lindqvist.event_filter.notify is False


def test_an_import_asks_before_it_writes_and_shows_what_ends(
    context: LedgerContext, ens: Ens, aws: Any, imported: None, folder: Callable[..., str]
) -> None:
    before = stored(aws)
    rows = "patient_id,provider_id,relationship,active\np-okafor,dr-barros,care_team,no\n"
    asked = ens("registry", "import", folder(relationships=rows))
    assert asked.exit_code == 1
    assert "relationships.csv line 2: ended active" in asked.output
    assert "Write 1 item?" in asked.output
    assert stored(aws) == before
    assert len(chain.entries(context, "registry")) == 1
    assert ens("registry", "import", folder(relationships=rows), "--yes").exit_code == 0
    (barros,) = (
        known
        for known in table.care_file(lookup(context), "p-okafor").relationships
        if known.provider_id == "dr-barros"
    )
    assert not barros.active


def test_a_consent_is_read_with_its_patient(
    context: LedgerContext, ens: Ens, imported: None, folder: Callable[..., str]
) -> None:
    rows = "consent_id,patient_id,direction\nc-77,p-okafor,deny\n"
    assert ens("registry", "import", folder(consents=rows), "--yes").exit_code == 0
    (consent,) = table.care_file(lookup(context), "p-okafor").consents
    assert (consent.consent_id, consent.direction, consent.sensitivity) == ("c-77", "deny", "all")
    (laine,) = table.care_file(lookup(context), "p-laine").consents
    assert (laine.sensitivity, laine.valid_from) == ("mental_health", "2026-01-15")


def test_a_replaced_roster_says_who_would_leave_and_asks(
    context: LedgerContext, ens: Ens, aws: Any, imported: None, panel: Callable[..., str]
) -> None:
    both = panel("NORTHGEN,H00412", "NORTHGEN,H00533")
    ens("roster", "import", both, "--subscriber", "dr-chen")
    before = stored(aws)
    one = panel("NORTHGEN,H00533", name="less.csv")
    asked = ens("roster", "import", one, "--subscriber", "dr-chen", "--replace")
    assert asked.exit_code == 1
    assert "No longer on the roster: 1 patient" in asked.output
    assert context.reference_keys.reference("patient", "p-okafor") in asked.output
    assert "p-okafor" not in asked.output
    assert stored(aws) == before


def test_ndjson_is_read_as_csv_is_and_its_lines_are_named(
    ens: Ens, aws: Any, tmp_path: Path
) -> None:
    folder = copied(tmp_path)
    rows = csv.DictReader(io.StringIO((folder / "patients.csv").read_text()))
    people = [
        {"patient_id": row["patient_id"], "family": "X", "given": "", "birth_date": "", "sex": ""}
        for row in rows
    ]
    (folder / "patients.csv").unlink()
    lines = [json.dumps(person) for person in people]
    (folder / "patients.ndjson").write_text("\n".join(lines))
    assert ens("registry", "import", str(folder), "--yes").exit_code == 0
    lines[4] = json.dumps({**people[4], "sex": "robot"})
    (folder / "patients.ndjson").write_text("\n".join(lines))
    assert "patients.ndjson line 5, sex" in ens("registry", "import", str(folder), "--yes").output
    (folder / "patients.ndjson").write_text('{"patient_id": 7}')
    assert "patients.ndjson line 1: is no JSON object" in (
        ens("registry", "import", str(folder), "--yes").output
    )


def test_what_a_provider_no_longer_says_is_removed_and_a_roster_stays(
    context: LedgerContext,
    ens: Ens,
    aws: Any,
    imported: None,
    panel: Callable[..., str],
    tmp_path: Path,
) -> None:
    assert (
        ens("roster", "import", panel("NORTHGEN,H00412"), "--subscriber", "dr-chen").exit_code == 0
    )
    ens("registry", "import", str(SEEDS), "--yes")
    found = table.care_file(lookup(context), "p-okafor")
    chen = next(known for known in found.relationships if known.provider_id == "dr-chen")
    assert chen.roster_until == (today() + timedelta(days=89)).isoformat()


def test_a_roster_makes_its_subscriber_part_of_the_circle(
    context: LedgerContext, ens: Ens, imported: None, panel: Callable[..., str]
) -> None:
    file = panel(
        "NORTHGEN,H00412,OKAFOR,1958-02-14",
        "NORTHGEN,H99999,,",
        header="authority,value,family,birth_date",
    )
    done = ens("roster", "import", file, "--subscriber", "dr-chen", "--days", "30")
    assert done.exit_code == 0, done.output
    assert "1 patient on the roster" in done.output
    assert "Skipped, not in the registry: 1 patient" in done.output
    assert "line 3" in done.output
    filed = table.filed_under(lookup(context), [("NORTHGEN", "H00412")], [])
    assert "dr-chen" in filed.hints["p-okafor"]
    (chen,) = (
        known
        for known in table.care_file(lookup(context), "p-okafor").relationships
        if known.provider_id == "dr-chen"
    )
    now = datetime.now(UTC).date()
    assert chen.current(now.isoformat()) == ("subscriber",)
    assert chen.current((now + timedelta(days=29)).isoformat()) == ("subscriber",)
    assert chen.current((now + timedelta(days=30)).isoformat()) == ()


def test_a_roster_holds_the_survivor_of_a_merged_patient(
    ens: Ens, aws: Any, imported: None, panel: Callable[..., str], tmp_path: Path
) -> None:
    """The hospital sends the survivor's identifier, the subscriber's list still the other."""
    roster = panel("NORTHGEN,H00412")
    ens("roster", "import", roster, "--subscriber", "dr-chen", "--days", "30")
    folder = tmp_path / "merge"
    folder.mkdir()
    (folder / "patients.csv").write_text("patient_id,merged_into\np-okafor,p-brandt\n")
    assert ens("registry", "import", str(folder), "--yes").exit_code == 0

    def last_day() -> str:
        until: str = stored(aws)["patient#p-brandt", "provider#dr-chen"]["roster_until"]
        return until

    assert last_day() == (today() + timedelta(days=29)).isoformat()
    (line,) = json.loads(ens("roster", "list", "--json").output)
    assert line["patients"] == 1
    again = ens("roster", "import", roster, "--subscriber", "dr-chen", "--replace", "--yes")
    assert again.exit_code == 0, again.output
    assert "New on the roster: 0, again: 1." in again.output
    assert "No longer" not in again.output
    assert last_day() == (today() + timedelta(days=89)).isoformat()
    assert "Ended for 1 patient." in ens("roster", "end", "dr-chen", "--yes").output
    (line,) = json.loads(ens("roster", "list", "--json").output)
    assert (line["patients"], line["state"]) == (0, "expired")


def test_a_roster_knows_a_patient_whose_id_is_encoded_in_a_key(
    ens: Ens, panel: Callable[..., str], tmp_path: Path
) -> None:
    renamed = ("p-okafor", "p#5%okafor")
    folder = tmp_path / "registry"
    folder.mkdir()
    copied(folder, **{file.stem: renamed for file in SEEDS.glob("*.csv")})
    assert ens("registry", "import", str(folder), "--yes").exit_code == 0
    roster = panel("NORTHGEN,H00412")
    ens("roster", "import", roster, "--subscriber", "dr-chen")
    again = ens("roster", "import", roster, "--subscriber", "dr-chen", "--replace", "--yes")
    assert "New on the roster: 0, again: 1." in again.output
    assert "No longer" not in again.output


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["NORTHGEN,H00412,Brown,"], "panel.csv line 2, family: is not that of the patient"),
        (["NORTHGEN,H00412,,1931-01-01"], "panel.csv line 2, birth_date: is not that"),
        (["NORTHGEN,H00412,,1.1.1931"], "panel.csv line 2, birth_date: is not a date"),
        (["NORTHGEN,H00533,,", "NORTHGEN,,,"], "panel.csv line 3, value: is empty"),
        (["NORTHGEN,H00850,,"], "panel.csv line 2, value: belongs to several patients"),
        (["NORTHGEN"], "panel.csv line 2: the columns are authority,value; optional"),
    ],
)
def test_a_faulty_roster_imports_nothing(
    ens: Ens, aws: Any, imported: None, panel: Callable[..., str], lines: list[str], fault: str
) -> None:
    before = stored(aws)
    file = panel(*lines, header="authority,value,family,birth_date")
    done = ens("roster", "import", file, "--subscriber", "dr-chen")
    assert done.exit_code == 1
    assert fault in done.output
    assert "H00" not in done.output
    assert stored(aws) == before


def test_a_roster_needs_a_subscriber_of_the_registry(
    ens: Ens, imported: None, panel: Callable[..., str]
) -> None:
    done = ens("roster", "import", panel("NORTHGEN,H00412"), "--subscriber", "dr-nobody")
    assert "the subscriber is not a provider of the registry" in done.output


def test_rosters_are_listed_with_what_ends_soon_and_no_patient(
    ens: Ens, imported: None, panel: Callable[..., str]
) -> None:
    assert "No rosters." in ens("roster", "list").output
    ens("roster", "import", panel("NORTHGEN,H00412"), "--subscriber", "dr-chen")
    ens("roster", "import", panel("NORTHGEN,H00533"), "--subscriber", "dr-smith", "--days", "8")
    said = ens("roster", "list").output
    assert "dr-chen" in said
    assert "valid" in said
    ending = json.loads(ens("roster", "list", "--ending", "--json").output)
    assert [(entry["subscriber"], entry["state"]) for entry in ending] == [
        ("dr-smith", "ends in 7 days")
    ]
    assert "p-okafor" not in said


@pytest.mark.parametrize("lines", [(), ("NORTGEN,H00412",)])
def test_a_file_that_names_nobody_does_not_end_a_roster(
    imported: None, ens: Ens, panel: Callable[..., str], lines: tuple[str, ...]
) -> None:
    """An export that failed, or whose authority is misspelt, replaces nothing, also where nobody is asked."""
    chen = ("--subscriber", "dr-chen")
    ens("roster", "import", panel("NORTHGEN,H00412"), *chen)
    result = ens("roster", "import", panel(*lines), *chen, "--replace", "--yes")
    assert (result.exit_code, "would end the whole roster" in result.output) == (1, True)
    (line,) = json.loads(ens("roster", "list", "--json").output)
    assert (line["subscriber"], line["patients"], line["state"]) == ("dr-chen", 1, "valid")


def test_a_misspelt_subscriber_is_no_ended_roster(imported: None, ens: Ens) -> None:
    assert ens("roster", "end", "dr-chenn", "--yes").exit_code == 1


def test_a_roster_can_be_ended_and_replaced(
    ens: Ens, imported: None, panel: Callable[..., str]
) -> None:
    ens("roster", "import", panel("NORTHGEN,H00412", "NORTHGEN,H00533"), "--subscriber", "dr-chen")
    done = ens(
        "roster",
        "import",
        panel("NORTHGEN,H00533"),
        "--subscriber",
        "dr-chen",
        "--replace",
        "--yes",
    )
    assert "1 patient removed from the roster." in done.output
    assert "Ended for 1 patient." in ens("roster", "end", "dr-chen", "--yes").output
    assert "no roster" in ens("roster", "end", "dr-chen", "--yes").output
    (entry,) = json.loads(ens("roster", "list", "--json").output)
    western = datetime.now(ZoneInfo("Etc/GMT+12")).date()
    assert entry["until"] < western.isoformat(), "it has ended in each hospital's time zone"
    assert (entry["patients"], entry["state"]) == (0, "expired")


def test_who_imported_and_who_ended_is_audited_in_counts_and_references(
    context: LedgerContext, ens: Ens, imported: None, panel: Callable[..., str]
) -> None:
    both = panel("NORTHGEN,H00412", "NORTHGEN,H00533", "NORTHGEN,H99999")
    chen = ("--subscriber", "dr-chen")
    ens("roster", "import", both, *chen)
    one = panel("NORTHGEN,H00533", name="less.csv")
    ens("roster", "import", one, *chen, "--replace", "--dry-run")
    ens("roster", "import", one, *chen, "--replace", "--yes")
    ens("roster", "end", "dr-chen", "--yes")
    entries = chain.entries(context, "registry")
    assert [(e["action"], e["counts"]) for e in entries] == [
        (
            "REGISTRY_IMPORTED",
            {
                "items": len(items_of_folder(SEEDS)),
                "new": sum(len(file.read_text().split("\n")) - 2 for file in SEEDS.glob("*.csv")),
                "changed": 0,
                "ended": 0,
                "unchanged": 0,
            },
        ),
        ("ROSTER_IMPORTED", {"patients": 2, "unknown": 1, "ended": 0}),
        ("ROSTER_IMPORTED", {"patients": 1, "unknown": 0, "ended": 1}),
        ("ROSTER_ENDED", {"ended": 1}),
    ]
    assert {e["actor"] for e in entries} == {f"operator:{ME}"}
    said = json.dumps(entries)
    assert [text for text in ("dr-chen", "H00412", "p-okafor") if text in said] == []
    assert "intact" in ens("audit", "verify", "registry").output


def test_a_faulty_import_is_no_act(
    context: LedgerContext, ens: Ens, aws: Any, tmp_path: Path
) -> None:
    ens("registry", "import", str(copied(tmp_path, patients=("1958-02-14", "14.02.1958"))), "--yes")
    assert chain.entries(context, "registry") == []
