"""Messages of public test suites through ParseMessage, where they are at hand."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.context import ParseContext
from lambdas.parse_message.handler import lambda_handler
from tests.conftest import ROOT
from tests.support.messages import vaulted
from tests.support.vault import read_json

CORPUS = ROOT.parent / "shared" / "corpus"
NULL = '""'


def repetitions(fields: list[str], number: int) -> list[str]:
    field = fields[number] if len(fields) > number else ""
    return [repetition for repetition in field.split("~") if repetition]


def first_pid(raw: bytes) -> list[str] | None:
    """The fields of the first PID, split with nothing but `str.split`; None without one."""
    lines = re.split("[\r\n]+", raw.decode())
    return next((line.split("|") for line in lines if line.startswith("PID|")), None)


def sent_identifiers(pid: list[str]) -> list[str]:
    firsts = [r.split("^")[0] for number in (3, 2, 4) for r in repetitions(pid, number)]
    return [value for value in firsts if value not in ("", NULL)]


def sent_phones(pid: list[str]) -> list[str]:
    return [r for number in (13, 14) for r in repetitions(pid, number) if r != NULL]


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_the_corpus_is_read_and_no_identifier_is_altered(
    context: ParseContext,
    aws: Any,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    files = sorted(CORPUS.glob("*/*.hl7"))
    assert files
    with_pid = read = refused = 0
    for file in files:
        raw = file.read_bytes()
        pid = first_pid(raw)
        with_pid += pid is not None
        try:
            event = parsed(context, raw, file)
        except UnprocessableMessageError as error:
            refused += 1
            if pid is None:
                assert str(error) == "the message has no PID segment"
            continue
        assert pid is not None, file.name
        read += 1
        assert [i.value for i in event.patient.identifiers] == sent_identifiers(pid), file.name
        assert list(event.patient.phones) == sent_phones(pid), file.name
        account = "".join(repetitions(pid, 18)[:1]).split("^")[0]
        assert event.patient.account_number == account.replace(NULL, ""), file.name

    figure = f"corpus: {read} of {with_pid} messages with a PID read, {refused} of {len(files)} refused by name"
    record_property("corpus", figure)
    with capsys.disabled():
        sys.stdout.write(f"\n{figure}\n")
    assert read >= 0.99 * with_pid
    assert read + refused == len(files)


def parsed(context: ParseContext, raw: bytes, file: Path) -> PatientEvent:
    envelope = vaulted(raw, sender="unknown", event_id=file.stem)
    task = {"envelope": envelope, "execution_arn": "arn:run", "attempt": 0}
    result = lambda_handler.with_context(context)(task, None)
    return read_as(PatientEvent, read_json(context, file.stem, "event.json", result["version_id"]))
