"""From MLLP to mail on the local system."""

from tests.support.local_system import LocalSystem, wait_for
from tests.support.messages import SAMPLES, of_another_stay

ADMISSION = SAMPLES / "admission.hl7"
STEPS = ["ParseMessage", "LookupIdentities", "ExtractEntities", "DeliverNotification"]


def test_an_admission_is_acknowledged_and_its_primary_care_provider_told(
    system: LocalSystem,
) -> None:
    assert system.send(ADMISSION).code == "AA"

    event = system.ended(system.event_id(ADMISSION))
    (mail,) = system.mails(event["event_id"])

    assert event["status"] == "COMPLETED"
    names = [step["name"] for step in event["steps"]]
    assert [name for name in names if name in STEPS] == STEPS
    assert mail["to"] == ["petra.lindqvist@millclinic.example"]
    for shown in ("Amara N Okafor", "Northtown General", "metformin"):
        assert shown in mail["text"]
        assert shown in mail["html"]
    assert "Okafor" not in mail["subject"]


def test_the_delivery_that_ses_reports_is_audited(system: LocalSystem) -> None:
    event = system.process_message(ADMISSION)["event_id"]

    def delivered() -> bool:
        found = system.event(event)
        return found is not None and any(e["action"] == "DELIVERED" for e in found["entries"])

    wait_for(delivered, "the audit entry of the delivery")


def test_a_message_that_succeeded_leaves_the_queue(system: LocalSystem) -> None:
    system.process_message(ADMISSION)

    wait_for(lambda: system.waiting("QueueUrl") == 0, "an empty queue")


def test_a_throttled_mail_service_is_tried_again_and_tells_once(system: LocalSystem) -> None:
    message = of_another_stay(ADMISSION.read_bytes(), b"NG-THROTTLED")
    system.fail(
        "ses", "SendEmail", times=2, code="TooManyRequestsException", status=429, match="lindqvist"
    )

    event = system.process_message(message)

    assert event["status"] == "COMPLETED"
    assert len(system.mails(event["event_id"])) == 1
    assert system.armed() == []


def test_a_patient_whose_event_fails_holds_up_nobody_else_and_order_is_kept(
    system: LocalSystem,
) -> None:
    first = of_another_stay(ADMISSION.read_bytes(), b"NG-FIRST")
    second = of_another_stay(ADMISSION.read_bytes(), b"NG-SECOND")
    first_event, second_event = system.event_id(first), system.event_id(second)
    system.fail("s3", "GetObject", times=100, code="SlowDown", status=503, match=first_event)

    failed = system.process_message(first)
    assert system.send(second).accepted
    other = system.process_message(SAMPLES / "two_recipients.hl7")

    assert (failed["status"], other["status"]) == ("FAILED", "COMPLETED")
    assert len(system.mails(other["event_id"])) == 2
    assert system.event(second_event) is None

    system.mend()
    system.return_now()
    recovered = system.ended(first_event, runs=2)
    then = system.ended(second_event)

    assert (recovered["status"], then["status"]) == ("COMPLETED", "COMPLETED")
    assert recovered["updated_at"] <= then["updated_at"]
    assert len(system.mails(first_event)) == len(system.mails(second_event)) == 1
