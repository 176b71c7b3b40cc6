"""The feed cases over sockets: bytes in over MLLP, mails and traces out of the running local system."""

import json
import socket

import pytest

from hl7.acknowledgement import read_answer
from hl7.mllp import Decoder, wrap
from tests.support.feed_cases import FOLDER, Case, CaseResult, MessageOutcome, cases
from tests.support.local_system import HOST, LocalSystem

CASES = {case.kind: case for case in cases()}
"""One case of each kind: tests/workflow/test_feed_cases.py runs them all without sockets."""
ANSWER_SECONDS = 20.0


@pytest.mark.skipif(not CASES, reason=f"no cases at {FOLDER}")
def test_a_feed_case_of_each_kind_is_read_right_or_said_aloud(system: LocalSystem) -> None:
    faults = {case.name: case.faults(run(system, case)) for case in CASES.values()}
    assert {name: found for name, found in faults.items() if found} == {}


def run(system: LocalSystem, case: Case) -> CaseResult:
    """Sends the files of a case in order, each after the outcome of the one before."""
    answers: list[list[str]] = []
    outcomes: list[MessageOutcome] = []
    known: set[str] = set()
    for file in case.files:
        sent = file.read_bytes()
        stream = wrap(sent) if file.suffix == ".hl7" else sent
        messages = [frame.message for frame in Decoder(1 << 20).feed(stream) if frame.message]
        given = answered(system, stream, len(messages))
        answers.append(given)
        for message, answer in zip(messages, given, strict=False):
            if answer == "accepted":
                event_id = system.event_id(message)
                outcomes.append(outcome(system, event_id, resent=event_id in known))
                known.add(event_id)
    return CaseResult(answers, outcomes)


def answered(system: LocalSystem, stream: bytes, count: int) -> list[str]:
    """The answers to a stream of bytes, as `accepted` or `refused`."""
    decoder = Decoder(1 << 20)
    given: list[bool] = []
    with socket.create_connection((HOST, system.mllp_port), ANSWER_SECONDS) as connection:
        connection.sendall(stream)
        while len(given) < count and (data := connection.recv(65536)):
            given += [read_answer(frame.message).accepted for frame in decoder.feed(data)]
    return ["accepted" if accepted else "refused" for accepted in given]


def outcome(system: LocalSystem, event_id: str, *, resent: bool) -> MessageOutcome:
    """The outcome of one event. A copy of an earlier message brings no mails of its own."""
    event = system.ended(event_id)
    mails = () if resent else system.mails(event_id)
    key = f"events/{event_id}/event.json"
    s3, vault = system.client("s3"), system.stack_output("VaultBucket")
    try:
        document = json.loads(s3.get_object(Bucket=vault, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        document = None
    return MessageOutcome(
        status=event["status"],
        error=event["error_name"],
        mails=tuple(f"{mail['subject']}\n{mail['text']}" for mail in mails),
        event=document,
        trace=system.ens("trace", event_id),
    )
