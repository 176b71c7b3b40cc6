"""`ens feed check`: what a feed lacks, without a value of a patient, without a call of AWS."""

import json
import re
import shutil
import socket
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments import load
from hl7.mllp import wrap
from ops.cli import main
from tests.conftest import ROOT
from tests.support.feeds import START, message, week

Check = Callable[..., Result]
FORMS = ((), ("--markdown",), ("--json",))


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command. A connection to anywhere fails the test."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("ens feed check connects")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    def run(*arguments: str | Path, sender: str = "west") -> Result:
        words = ["feed", "check", *map(str, arguments), "--sender", sender]
        return CliRunner().invoke(main, words, env={"COLUMNS": "120"})

    return run


def report(result: Result) -> Any:
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def write(folder: Path, *messages: bytes, name: str = "adt") -> Path:
    for number, one in enumerate(messages, start=1):
        (folder / f"{name}{number}.hl7").write_bytes(one)
    return folder


def findings(document: Any, subject: str) -> list[str]:
    return [one["what"] for one in document["findings"] if one["subject"] == subject]


def admission(patient: int, **replaced: str) -> bytes:
    """An admission with fields replaced: `PV1_2="ZQ"`."""
    raw = message("A01", START + timedelta(minutes=patient), patient, patient).decode()
    segments = {one[:3]: one.split("|") for one in raw.split("\r") if one}
    for position, value in replaced.items():
        name, _, number = position.partition("_")
        fields = segments.setdefault(name, [name])
        at = int(number) - (name == "MSH")
        fields += [""] * (at + 1 - len(fields))
        fields[at] = value
    return "".join(f"{'|'.join(fields)}\r" for fields in segments.values()).encode()


def test_a_week_without_faults_has_nothing_to_do(check: Check, tmp_path: Path) -> None:
    result = check(write(tmp_path, *week(300)))
    assert result.exit_code == 0, result.output
    assert "0 error findings and 0 warning findings." in result.output
    assert "300 messages in 300 files, sent 2026-11-16 to 2026-11-16." in result.output


def test_each_event_is_told_or_has_its_reason(check: Check, tmp_path: Path) -> None:
    at = START
    stay = [
        message("A04", at, 1, 1, patient_class="E"),
        message("A02", at + timedelta(hours=1), 2, 1),
        message("A08", at + timedelta(hours=2), 3, 1),
        message("A03", at + timedelta(hours=9), 4, 1, disposition="20"),
    ]
    found = report(check(write(tmp_path, *stay), "--json"))
    told = {one["trigger_event"]: (one["told"], one["silent"]) for one in found["events"]}
    assert told == {
        "A04": ({"ed_registration": 1}, {}),
        "A02": ({"admission": 1}, {}),
        "A08": ({}, {"unchanged": 1}),
        "A03": ({"death": 1}, {}),
    }


def test_a_message_that_the_receiver_rejects_or_the_workflow_dead_letters_is_an_error(
    check: Check, tmp_path: Path
) -> None:
    wrong = [
        admission(1),
        admission(2).replace(b"ADT^A01", b"ORU^R01"),
        b"".join(line + b"\r" for line in admission(3).split(b"\r") if not line.startswith(b"PID")),
        admission(4, MSH_12="3.0"),
        # The visit of patient 1, by a message of patient 5.
        admission(5, PV1_19="V000001"),
    ]
    result = check(write(tmp_path, *wrong), "--json")
    found = report(result)
    assert result.exit_code == 1
    assert findings(found, "receiver") == [
        "Rejected: Only ADT messages are accepted here (unknown_type)."
    ]
    assert sorted(findings(found, "workflow")) == [
        "Dead letter: IdentityConflictError: PID-3 names another patient than the encounter's other"
        " messages.",
        "Dead letter: UnprocessableMessageError: MSH-12 is not a version of HL7 v2.",
        "Dead letter: UnprocessableMessageError: the message has no PID segment.",
    ]
    counts = found["messages"]
    assert (counts["total"], counts["rejected"], counts["dead_letters"], counts["told"]) == (
        5,
        1,
        3,
        1,
    )


def test_a_missing_and_an_unreadable_field_are_counted_apart(check: Check, tmp_path: Path) -> None:
    messages = [
        admission(1, PV1_44=""),
        admission(2, PV1_44="yesterday"),
        admission(3),
        admission(4, PV1_7="", PD1_4=""),
    ]
    found = report(check(write(tmp_path, *messages), "--json"))
    by_position = {one["position"]: one for one in found["fields"]}
    assert by_position["PV1-44"] == {
        "position": "PV1-44", "expected": 4, "missing": 1, "unreadable": 1,
    }  # fmt: skip
    assert by_position["PV1-7"]["missing"] == by_position["PD1-4"]["missing"] == 1
    assert by_position["PID-3"] == {
        "position": "PID-3", "expected": 4, "missing": 0, "unreadable": 0,
    }  # fmt: skip


def test_unknown_codes_are_counted_and_proposed_for_the_senders_file(
    check: Check, tmp_path: Path
) -> None:
    messages = [admission(n, PV1_2="ZQ") for n in range(1, 5)]
    messages += [admission(n, PV1_2="Emergency") for n in range(5, 9)]
    messages += [
        message("A03", START + timedelta(days=1, minutes=n), 90 + n, n, disposition="77^Sent home")
        for n in range(1, 5)
    ]
    found = report(check(write(tmp_path, *messages), "--json"))
    assert findings(found, "PV1-2")[0] == "Unknown patient classes: ZQ (4)."
    assert '# ZQ = "I"  # not known; 4 messages' in found["proposed_file"]
    proposed = tomllib.loads(found["proposed_file"])
    assert proposed["patient_classes"] == {"Emergency": "E"}
    assert proposed["dispositions"] == {"77": {"text": "Sent home"}}


def test_the_order_of_dates_is_asked_for_and_proposed_where_the_feed_shows_it(
    check: Check, tmp_path: Path
) -> None:
    write(tmp_path, admission(1, PID_7="03/04/1961"), admission(2, PID_7="25/04/1961"))
    found = report(check(tmp_path, "--json"))
    assert findings(found, "PID-7, PID-29") == ["Dates such as 03/04/1961 may be read in two ways."]
    assert tomllib.loads(found["proposed_file"])["date_order"] == "dmy"


def test_copies_and_control_ids_that_are_used_again_are_told_apart(
    check: Check, tmp_path: Path
) -> None:
    later = admission(1, MSH_7="20261116120000+0000")
    messages = (admission(1), later, admission(2, MSH_10="M0000001"))
    found = report(check(write(tmp_path, *messages), "--json"))
    assert sorted(findings(found, "MSH-10")) == [
        "A control id was used before for another message.",
        "The same message came again.",
    ]
    assert (found["messages"]["copies"], found["messages"]["told"]) == (1, 2)


def test_a_capture_a_batch_file_and_a_folder_give_the_same_events(
    check: Check, tmp_path: Path
) -> None:
    messages = list(week(40))
    capture, batch = tmp_path / "capture", tmp_path / "batch.hl7"
    capture.write_bytes(b"".join(map(wrap, messages)))
    batch.write_bytes(b"BHS|^~\\&|ADTSYS\r" + b"".join(messages) + b"BTS|40\r")
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder, *messages)
    events = [report(check(one, "--json"))["events"] for one in (capture, batch, folder)]
    assert events[0] == events[1] == events[2]


def test_answers_in_a_capture_are_no_messages(check: Check, tmp_path: Path) -> None:
    answer = b"MSH|^~\\&|ENS|HUB|ADTSYS|NORTHGEN|20261116||ACK^A01|1|P|2.5.1\rMSA|AA|M0000001\r"
    (tmp_path / "capture").write_bytes(wrap(admission(1)) + wrap(answer))
    found = report(check(tmp_path, "--json"))["messages"]
    assert (found["total"], found["acknowledgements"], found["rejected"]) == (1, 1, 0)


def test_a_known_senders_file_is_used_and_kept(check: Check, tmp_path: Path) -> None:
    foreign = admission(2, MSH_3="OTHERSYS")
    found = report(check(write(tmp_path, admission(1), foreign), "--json", sender="northgen"))
    assert found["known"]
    assert findings(found, "receiver") == [
        "Rejected: This connection may not send as this sender (sender_not_allowed)."
    ]
    proposed = tomllib.loads(found["proposed_file"])
    file = ROOT / "environments" / "senders" / "northgen.toml"
    assert {**tomllib.loads(file.read_text()), **proposed} == proposed


def test_an_authority_that_the_senders_file_does_not_allow_is_an_error(
    check: Check, tmp_path: Path
) -> None:
    write(tmp_path, admission(1), admission(2, PID_3="H00002^^^ELSEWHERE^MR"))
    found = report(check(tmp_path, "--json", sender="northgen"))
    (one,) = (one for one in found["findings"] if one["subject"] == "PID-3.4")
    assert (one["severity"], one["messages"], one["of"]) == ("error", 1, 2)


def test_an_environment_accepts_the_processing_ids_of_its_file(
    check: Check, tmp_path: Path
) -> None:
    write(tmp_path, admission(1, MSH_11="T"))
    words = ["feed", "check", str(tmp_path), "--sender", "west"]
    assert CliRunner().invoke(main, words).exit_code == 0
    result = CliRunner().invoke(main, ["--env", "prod", *words])
    assert result.exit_code == 1
    assert "This processing id is not accepted here" in " ".join(result.output.split())


@pytest.mark.parametrize("faulty", [False, True])
def test_the_proposed_file_is_one_that_an_environment_takes(
    check: Check, tmp_path: Path, faulty: bool
) -> None:
    senders = tmp_path / "environments" / "senders"
    senders.mkdir(parents=True)
    feed = tmp_path / "feed"
    feed.mkdir()
    codes = {"PV1_2": 'Z"Q', "PV1_3": "5&5\\^^^#1", "PV1_36": "Q\x7f]"} if faulty else {}
    write(feed, *(admission(n, **codes) for n in range(1, 6)))
    result = check(feed, "--propose", senders / "west.toml")
    assert result.exit_code == (1 if faulty else 0), result.output
    for name in ("smoke", "west"):
        if name == "smoke":
            text = (ROOT / "environments" / "senders" / "smoke.toml").read_text()
            (senders / "smoke.toml").write_text(text)
    shutil.copytree(ROOT / "environments" / "policies", tmp_path / "environments" / "policies")
    text = (ROOT / "environments" / "local.toml").read_text()
    text = re.sub(r"(?m)^senders = .*", 'senders = ["west", "smoke"]', text)
    (tmp_path / "environments" / "local.toml").write_text(text)
    found = load("local", tmp_path / "environments").senders[0]
    assert (found.sending_application, found.sending_facility) == ("ADTSYS", "NORTHGEN")
    assert found.default_assigning_authority == "NORTHGEN"


def test_a_proposal_never_replaces_a_file(check: Check, tmp_path: Path) -> None:
    target = tmp_path / "west.toml"
    target.write_text("mine")
    result = check(ROOT / "samples" / "admission.hl7", "--propose", target)
    assert (result.exit_code, target.read_text()) == (2, "mine")
    elsewhere = tmp_path / "absent" / "west.toml"
    assert check(ROOT / "samples" / "admission.hl7", "--propose", elsewhere).exit_code == 2


# Values of patients

SEGMENTS = {"PID": 39, "PD1": 21, "NK1": 39, "PV1": 52, "PV2": 49, "MRG": 7, "GT1": 20, "IN1": 49}
NOTE = "QZNOTE was admitted, see QZNOTEB"


def planted(patient: int) -> bytes:
    """A message with a recognisable value in every field, and the surname where codes should be."""
    raw = admission(patient).decode().split("\r")
    segments = [raw[0].replace("ADTSYS", "QZSURNAME"), raw[1]]
    for name, most in SEGMENTS.items():
        fields = [f"QZ{name}{n}P{patient}" for n in range(1, most + 1)]
        if name == "PID":
            fields[2] = f"QZMRN{patient}^^^QZAUTH{patient}^MR"
            fields[4] = f"QZSURNAME^QZGIVEN{patient}"
        if name == "PV1":
            fields[1] = fields[35] = fields[3] = "QZSURNAME"
            fields[2] = "QZSURNAME^1^2^QZSURNAME"
        segments.append("|".join([name, *fields]))
    segments.append(f"NTE|1||{NOTE}")
    segments.append(f"OBX|1|TX|N^QZOBX{patient}||{NOTE}\n\nQZLINE|QZ more\rQZSEG|1|QZ||||||F")
    segments.append(f"DG1|1||QZDG{patient}^{NOTE}")
    segments.append(f"ZQZ|QZ{patient}")
    return "".join(f"{one}\r" for one in segments).encode()


@pytest.mark.parametrize("form", FORMS)
def test_no_value_of_a_patient_is_in_any_output(
    check: Check, tmp_path: Path, form: tuple[str, ...]
) -> None:
    feed = [planted(n) for n in range(1, 13)]
    feed += [one.replace(b"ADT^A01", b"ADT^A03").replace(b"|M00", b"|X00") for one in feed]
    feed += [one.replace(b"PID|", b"PIX|") for one in feed[:3]]
    write(tmp_path, *feed, name="QZFILE_QZMRN")
    for sender in ("west", "northgen"):
        result = check(tmp_path, *form, sender=sender)
        assert "QZ" not in result.output.upper(), sender
        assert result.exit_code == 1


@pytest.mark.parametrize("form", FORMS)
def test_no_value_of_the_samples_is_in_any_output(check: Check, form: tuple[str, ...]) -> None:
    result = check(ROOT / "samples", *form, sender="northgen")
    for value in ("OKAFOR", "AMARA", "LINDQVIST", "H00412", "1958"):
        assert value not in result.output.upper(), value


def test_the_names_of_files_are_printed_on_request_alone(check: Check, tmp_path: Path) -> None:
    write(tmp_path, admission(1), name="H00412")
    assert "H00412" not in check(tmp_path).output
    assert "file 1:" in check(tmp_path, "--file-names").stderr


# Files that cannot be checked


def test_a_folder_without_files_is_an_error_of_use(check: Check, tmp_path: Path) -> None:
    result = check(tmp_path)
    assert (result.exit_code, "There is no file" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7", "There is no HL7 v2 message in 1 file."),
        (b"09:15 INFO MSH|^~\\&|A|B", "behind other text of a line"),
        (b"", "There is no HL7 v2 message in 1 file."),
    ],
)
def test_a_file_without_a_message_is_an_error_of_use(
    check: Check, tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "a").write_bytes(content)
    result = check(tmp_path)
    assert (result.exit_code, says in " ".join(result.output.split())) == (2, True)


def test_a_damaged_archive_is_a_finding_beside_other_files(check: Check, tmp_path: Path) -> None:
    write(tmp_path, admission(1))
    (tmp_path / "b.zip").write_bytes(b"PK no archive")
    (tmp_path / "c.gz").write_bytes(b"\x1f\x8b no archive")
    found = report(check(tmp_path, "--json"))
    assert findings(found, "files") == ["2 files cannot be read to the end."]


@pytest.mark.parametrize("name", ["West Hospital", "../x", ""])
def test_a_name_that_no_senders_file_can_have_is_an_error_of_use(check: Check, name: str) -> None:
    assert check(ROOT / "samples", sender=name).exit_code == 2


LINES = st.sampled_from(
    (
        admission(1), admission(2, PID_3=""), b"MSH|^~\\&|", b"\x0b", b"\x1c\r", b"PID|1||H1\r",
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A03|1|P|2.5\r", b"BHS|^~\\&\r", b"\n", b"PV1|1|I",
    )
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.lists(LINES | st.binary(max_size=30)).map(b"".join), min_size=1, max_size=4))
def test_whatever_is_in_the_files_every_byte_and_message_is_accounted_for(
    check: Check, tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("feed")
    write(folder, *contents)
    result = check(folder, "--json")
    if result.exit_code == 2:
        return
    found = report(result)
    files, messages = found["files"], found["messages"]
    parts = ("message_bytes", "rejected_bytes", "skipped_bytes")
    assert files["total_bytes"] == sum(map(len, contents)) == sum(files[one] for one in parts)
    assert files["skipped_bytes"] >= 0
    assert messages["total"] == messages["accepted"] + messages["rejected"]
    ends = ("told", "silent", "copies", "dead_letters")
    assert messages["accepted"] == sum(messages[one] for one in ends)
