"""The whole system over real sockets: each recipient is told once and correctly, and nothing is lost."""

from pathlib import Path

import pytest

from tests.support.local_system import ROOT, LocalSystem, wait_for
from tests.support.messages import of_another_stay, sample, with_pdf

BLOG = ROOT.parent / "shared" / "samples" / "aws-blog.hl7"
PETRA = "petra.lindqvist@millclinic.example"


def told(system: LocalSystem, event_id: str) -> list[str]:
    return sorted(address for mail in system.mails(event_id) for address in mail["to"])


@pytest.mark.skipif(not BLOG.exists(), reason="the AWS blog's sample is not beside the checkout")
def test_the_blogs_own_message_tells_its_primary_care_provider(system: LocalSystem) -> None:
    event = system.process_message(BLOG)
    (mail,) = system.mails(event["event_id"])
    assert mail["to"] == ["john.smith@provider.example"]
    for text in (mail["text"].lower(), mail["html"].lower()):
        for shown in (
            "pulmonary embolism",
            "“pe”",
            "diabetes",
            "atrial fibrillation",
            "propanolol",
        ):
            assert shown in text.replace('"', "”").replace("read from ”", "read from “")


def test_the_same_message_twice_is_acknowledged_twice_and_told_once(system: LocalSystem) -> None:
    message = of_another_stay(sample("admission"), b"TWICE")
    event_id = system.process_message(message)["event_id"]
    assert system.send(message).code == "AA"
    assert told(system, event_id) == [PETRA]


def test_a_message_of_300_kb_is_told_like_any_other(system: LocalSystem) -> None:
    message = of_another_stay(with_pdf(), b"LARGE")
    assert len(message) > 300_000
    event = system.process_message(message)
    assert event["status"] == "COMPLETED"
    assert told(system, event["event_id"]) == [PETRA]


def test_ses_refusing_one_of_two_recipients_leaves_the_other_told(system: LocalSystem) -> None:
    message = of_another_stay(sample("two_recipients"), b"REFUSED")
    system.fail("ses", "SendEmail", code="MessageRejected", status=400, match="wei.chen")
    event = system.process_message(message)
    assert event["status"] == "COMPLETED"
    assert told(system, event["event_id"]) == [PETRA]
    assert {"SENT", "REFUSED"} <= set(system.actions(event["event_id"]))


@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "PutObject"), ("sqs", "SendMessage"), ("sqs", "SendMessageBatch")],
)
def test_a_sender_hears_ar_while_we_cannot_store_and_aa_once_we_can(
    system: LocalSystem, service: str, operation: str
) -> None:
    message = of_another_stay(sample("admission"), f"DOWN-{service}-{operation}".encode())
    other = "SendMessageBatch" if operation == "SendMessage" else "SendMessage"
    for broken in {operation, other} if service == "sqs" else {operation}:
        system.fail(service, broken, times=50, code="ServiceUnavailable", status=503)
    assert system.send(message).code == "AR"
    system.mend()
    event = system.process_message(message)
    assert event["status"] == "COMPLETED"
    assert told(system, event["event_id"]) == [PETRA]


def test_an_unknown_patient_is_told_after_the_registry_knows_them(system: LocalSystem) -> None:
    message = of_another_stay(sample("unknown_patient"), b"UNKNOWN-1")
    event_id = system.process_message(message)["event_id"]
    assert system.event(event_id)["error_name"] == "IdentityNotFoundError"  # type: ignore[index]
    assert event_id in system.ens("dlq", "list")

    registry = system.stack_output("RegistryTable")
    for item in (
        {"pk": "identifier#NORTHGEN#H09999", "sk": "patient", "patient_id": "p-marek"},
        {"pk": "patient#p-marek", "sk": "patient", "family": "Marek", "given": "Ivo"},
        {
            "pk": "patient#p-marek",
            "sk": "provider#dr-lindqvist",
            "relationship": "primary_care",
            "provider_id": "dr-lindqvist",
        },
    ):
        typed = {name: {"S": value} for name, value in item.items()}
        system.client("dynamodb").put_item(TableName=registry, Item=typed)
    try:
        system.ens("dlq", "redrive", event_id)
        wait_for(lambda: (system.event(event_id) or {}).get("status") == "COMPLETED", "completion")
    finally:
        for item in (
            {"pk": "identifier#NORTHGEN#H09999", "sk": "patient"},
            {"pk": "patient#p-marek", "sk": "patient"},
            {"pk": "patient#p-marek", "sk": "provider#dr-lindqvist"},
        ):
            typed = {name: {"S": value} for name, value in item.items()}
            system.client("dynamodb").delete_item(TableName=registry, Key=typed)
    assert told(system, event_id) == [PETRA]


def test_a_redrive_within_five_minutes_that_fails_again_is_a_dead_letter_again(
    system: LocalSystem,
) -> None:
    message = of_another_stay(sample("no_pid"), b"POISON")
    event_id = system.process_message(message)["event_id"]
    wait_for(lambda: event_id in dead(system), "the dead letter")
    before = system.waiting("DeadLetterQueueUrl")
    for runs in (2, 3):
        system.ens("dlq", "redrive", event_id)
        system.ended(event_id, runs=runs)
        wait_for(lambda: system.waiting("DeadLetterQueueUrl") == before, "the dead letter's return")
        assert system.waiting("QueueUrl") == 0
        assert event_id in dead(system)


def dead(system: LocalSystem) -> str:
    return system.ens("dlq", "list")


def test_an_operator_sees_every_step_without_seeing_the_patient(system: LocalSystem) -> None:
    message = of_another_stay(sample("admission"), b"TRACED")
    event_id = system.process_message(message)["event_id"]
    shown = system.ens("trace", "TRACED")
    for expected in (
        event_id,
        "ParseMessage",
        "DeliverNotification",
        "sent",
        "ms",
        "arn:aws:states",
    ):
        assert expected in shown
    assert "Okafor" not in shown
    assert "intact" in system.ens("audit", "verify", event_id).lower()


def test_a_stay_that_is_sent_with_follow_shows_each_outcome(
    system: LocalSystem, tmp_path: Path
) -> None:
    admitted = of_another_stay(sample("admission"), b"FOLLOW")
    again = admitted.replace(b"|FOLLOW|", b"|FOLLOW-AGAIN|")
    cancelled = admitted.replace(b"|FOLLOW|", b"|FOLLOW-CANCEL|").replace(b"A01", b"A11")
    file = tmp_path / "stay.hl7"
    file.write_bytes(b"".join((admitted, again, cancelled)))
    shown = " ".join(system.ens("send", "--follow", str(file)).split())
    for expected in ("Admission, 1 sent", "Duplicate", "Cancel admission, 1 sent"):
        assert expected in shown


def test_a_replay_processes_the_event_again_and_tells_nobody_twice(system: LocalSystem) -> None:
    message = of_another_stay(sample("admission"), b"REPLAYED")
    event_id = system.process_message(message)["event_id"]
    system.ens("replay", event_id)
    system.ended(event_id, runs=2)
    assert told(system, event_id) == [PETRA]
    assert {"REPLAYED", "ALREADY_SENT"} <= set(system.actions(event_id))
    looks = " ".join(system.ens("audit", "looks").split())
    assert "mail" in looks
    assert "moto" in looks
