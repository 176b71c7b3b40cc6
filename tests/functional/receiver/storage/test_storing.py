"""Acknowledged means stored: what stands in S3 and SQS when AA leaves, and what is said when it cannot."""

import hashlib
import json
from collections.abc import Callable

import pytest

from receiver.storage.aws_client.http import ExchangeError, HttpResponse
from tests.functional.receiver.world import (
    KEY,
    ErrorResponseError,
    ReceiverWorld,
    adt,
    error_of,
    eventually,
)
from tests.support.private import without_digests


def test_a_message_is_in_the_vault_and_on_the_queue_when_aa_comes(world: ReceiverWorld) -> None:
    message = adt()
    with world.connect() as sender:
        assert sender.ask(message) == "AA NG-1"
    (envelope,) = world.envelopes()
    stored = world.clients.s3.get_object(
        Bucket=envelope["bucket"], Key=envelope["key"], VersionId=envelope["version_id"]
    )
    assert stored["Body"].read() == message
    assert envelope["key"] == f"events/{envelope['event_id']}/message.hl7"
    assert envelope["digest"] == KEY.reference("digest", hashlib.sha256(message).hexdigest())
    assert envelope["bytes"] == len(message)
    assert (envelope["sender"], envelope["receiver"]) == ("northgen", "r1")
    assert set(envelope) == {
        *("event_id", "bucket", "key", "version_id", "digest", "bytes"),
        *("received_at", "receiver", "connection", "sender"),
    }


@pytest.mark.parametrize("operation", ["PutObject", "SendMessageBatch"])
def test_no_answer_leaves_before_the_service_has_confirmed(
    world: ReceiverWorld, operation: str
) -> None:
    with world.connect() as sender:
        with world.faults.hold(operation):
            sender.send(adt())
            assert sender.is_silent()
        assert sender.answer() == "AA NG-1"


@pytest.mark.parametrize("operation", ["PutObject", "SendMessageBatch"])
def test_a_service_that_fails_is_answered_with_ar_and_after_it_recovers_with_aa(
    world: ReceiverWorld, operation: str
) -> None:
    with world.connect() as sender:
        world.faults.fail(operation)
        for _ in range(3):
            assert sender.ask(adt()) == "AR NG-1"
        assert world.envelopes() == []
        world.faults.mend()
        assert sender.ask(adt()) == "AA NG-1"
    assert len(world.objects("events/")) == 1
    assert len(world.envelopes()) == 1
    assert world.counted("Rejected", reason="store_unavailable") == 3


@pytest.mark.parametrize(
    "error",
    [
        error_of("PutObject", "AccessDenied", 403),
        error_of("PutObject", "NoSuchBucket", 404),
        ExchangeError("cannot connect"),
        ErrorResponseError(HttpResponse(200, {}, b"<Error><Code>InternalError</Code></Error>")),
        ZeroDivisionError("Quillfeather"),
    ],
    ids=["no grant", "no bucket", "unreachable", "200 with an error", "our own fault"],
)
def test_whatever_goes_wrong_in_storing_is_answered_with_ar(
    world: ReceiverWorld, error: Exception
) -> None:
    world.faults.fail("PutObject", error)
    with world.connect() as sender:
        assert sender.ask(adt()) == "AR NG-1"
    assert "Quillfeather" not in world.output.getvalue()


def test_a_patient_s_next_message_does_not_overtake_the_resend_of_one_that_got_ar(
    world: ReceiverWorld,
) -> None:
    """A sender that does not wait for its answers has sent the next message when it reads the AR."""
    with world.connect() as sender:
        world.faults.fail("PutObject")
        assert sender.ask(adt("A01")) == "AR A01"
        world.faults.mend()
        assert sender.ask(adt("A03")) == "AR A03"
        assert sender.ask(adt("OTHER", patient="0043")) == "AA OTHER"
        for control_id in ("A01", "A03"):
            assert sender.ask(adt(control_id)) == f"AA {control_id}"
    assert len(world.envelopes()) == 3


def test_a_message_without_answer_is_not_held_back_by_a_failed_one(world: ReceiverWorld) -> None:
    """MSH-15 and MSH-16 say `NE`: its sender would not learn that it has to send it again."""
    with world.connect() as sender:
        world.faults.fail("PutObject")
        sender.send(adt("A01", rest="|||NE|NE"))
        assert eventually(lambda: world.counted("Rejected", reason="store_unavailable") == 1)
        world.faults.mend()
        sender.send(adt("A02", rest="|||NE|NE"))
        assert sender.ask(adt("A03")) == "AA A03"
    assert len(world.envelopes()) == 2


def test_a_service_that_hangs_is_answered_with_ar_within_the_sender_s_patience(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(store_seconds=0.3)
    with world.connect() as sender, world.faults.hold("PutObject"):
        assert sender.ask(adt()) == "AR NG-1"


def test_a_queue_whose_answer_was_lost_has_the_message_once_after_the_resend(
    world: ReceiverWorld,
) -> None:
    def lose_the_answer() -> None:
        raise error_of("SendMessageBatch")

    world.faults.after["SendMessageBatch"] = lose_the_answer
    with world.connect() as sender:
        assert sender.ask(adt()) == "AR NG-1"
        world.faults.mend()
        assert sender.ask(adt()) == "AA NG-1"
    assert len(world.envelopes()) == 1


def test_the_same_message_twice_is_one_event_and_one_object(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        assert [sender.ask(adt()), sender.ask(adt())] == ["AA NG-1", "AA NG-1"]
    assert len(world.objects("events/")) == 1
    assert len(world.envelopes()) == 1


def test_a_resend_with_a_new_time_points_at_the_first_copy(world: ReceiverWorld) -> None:
    first, second = adt(), adt(time="20261123101112345")
    with world.connect() as sender:
        sender.ask(first)
        (one,) = world.envelopes()
        assert sender.ask(second) == "AA NG-1"
    (other,) = world.envelopes()
    for name in ("event_id", "key", "version_id", "digest", "bytes"):
        assert one[name] == other[name]
    assert other["digest"] == KEY.reference("digest", hashlib.sha256(first).hexdigest())


def test_a_copy_of_another_producer_without_its_digest_is_not_guessed_at(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        sender.ask(adt())
        (envelope,) = world.envelopes()
        world.clients.s3.put_object(Bucket=world.bucket, Key=envelope["key"], Body=b"other")
        assert sender.ask(adt()) == "AR NG-1"


def test_a_writer_at_the_same_key_at_the_same_moment_is_waited_for(world: ReceiverWorld) -> None:
    errors = [error_of("PutObject", "ConditionalRequestConflict", 409)]

    def conflict_once() -> None:
        if errors:
            raise errors.pop()

    world.faults.before["PutObject"] = conflict_once
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"


def test_a_message_of_300_kb_is_stored(world: ReceiverWorld) -> None:
    message = adt(more=b"OBX|1|ED|PDF^Report||^AP^PDF^Base64^" + b"QUJD" * 75_000 + b"\r")
    with world.connect() as sender:
        assert sender.ask(message) == "AA NG-1"
    assert list(world.objects("events/").values()) == [message]


def test_bytes_of_any_charset_and_control_bytes_are_stored_as_they_came(
    world: ReceiverWorld,
) -> None:
    message = adt(more=b"NTE|1||Jos\xe9 \xf0\x9f\x98\x80 \x0b soft \x1c odd \x00\r")
    with world.connect() as sender:
        assert sender.ask(message) == "AA NG-1"
    assert list(world.objects("events/").values()) == [message]


def group_of(world: ReceiverWorld) -> list[tuple[str, str]]:
    got = world.clients.sqs.receive_message(
        QueueUrl=world.queue_url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId", "MessageDeduplicationId"],
    )
    return [
        (m["Attributes"]["MessageGroupId"], m["Attributes"]["MessageDeduplicationId"])
        for m in got["Messages"]
    ]


def test_a_patient_s_messages_share_a_group_that_does_not_show_the_patient(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        for control_id, patient in (("1", "0042"), ("2", "0042"), ("3", "0043")):
            sender.ask(adt(control_id, patient=patient))
        sender.ask(adt("4", patient=""))
    groups = group_of(world)
    names = [group for group, _ in groups]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert names[0].startswith("k1.")
    assert groups[3][0] == groups[3][1], "without an identifier the event is a group of its own"


def test_the_message_is_stored_when_its_sender_goes_away_before_the_answer(
    world: ReceiverWorld,
) -> None:
    with world.faults.hold("SendMessageBatch"), world.connect() as sender:
        sender.send(adt())
        assert eventually(lambda: len(world.objects("events/")) == 1)
        sender.socket.close()
    assert eventually(lambda: len(world.envelopes()) == 1)


def test_no_patient_data_leaves_the_vault(world: ReceiverWorld) -> None:
    message = adt("0042-Quillfeather").replace(b"|ADTSYS|", b"|Quillfeather|", 1)
    with world.connect() as sender:
        sender.ask(message)
        world.faults.fail("SendMessageBatch")
        sender.ask(message.replace(b"A01", b"A02"))
        world.faults.mend()
        sender.ask(message.replace(b"ADT^A01", b"ORU^R01"))
        sender.raw(b"\x0bMSH|Quillfeather")
    assert eventually(lambda: any(line.get("why") for line in world.logged()))
    keys = [*world.objects("events/"), *world.objects("rejected/")]
    outside = [world.output.getvalue(), json.dumps(world.envelopes()), *keys]
    assert len(keys) == 4
    for place in outside:
        for value in ("Quillfeather", "0042", "Zeta", "19580214"):
            assert value not in without_digests(place)
