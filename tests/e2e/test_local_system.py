"""From MLLP to mail on the local system."""

from tests.support.local_system import LocalSystem, wait_for
from tests.support.messages import SAMPLES

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
    message = ADMISSION.read_bytes().replace(b"NG-20261123-000731", b"NG-THROTTLED")
    system.fail(
        "ses", "SendEmail", times=2, code="TooManyRequestsException", status=429, match="lindqvist"
    )

    event = system.process_message(message)

    assert event["status"] == "COMPLETED"
    assert len(system.mails(event["event_id"])) == 1
    assert system.armed() == []


def test_a_failed_run_comes_back_when_its_time_is_up(system: LocalSystem) -> None:
    message = ADMISSION.read_bytes().replace(b"NG-20261123-000731", b"NG-COMES-BACK")
    system.fail("dynamodb", "BatchGetItem", times=100, code="InternalServerError", status=500)
    event_id = system.event_id(message)
    failed = system.process_message(message)
    system.mend()

    system.return_now()
    event = system.ended(event_id, runs=2)

    assert failed["status"] == "FAILED"
    assert event["status"] == "COMPLETED"
    assert len(system.mails(event_id)) == 1
