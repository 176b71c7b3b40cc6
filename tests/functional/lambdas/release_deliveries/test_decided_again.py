"""A notice that waited is decided again when it may go, by the registry as it is then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.common.audit import chain
from lambdas.common.audit.chain import entries
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.encounters.protection import Basis, SensitiveMark
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import Addressee, FirstNotice, RecipientReason
from lambdas.common.contracts.workflow.delivery_states import HoldReason
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.items import AddressProblemState, SwitchState
from lambdas.delivery.ledger.sending import address_problems, pause
from lambdas.registry.keys import consents_key, patient_key
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    EVENT_ID,
    RECIPIENT,
    DeliveryWorld,
    file_provider,
    file_relationship,
    sent_mails,
)
from tests.functional.lambdas.release_deliveries.world import (
    DIGEST,
    STAND_IN,
    due_now,
    release,
    states,
    world_with_fallback,
    worlds,
)
from tests.support import configuration
from tests.support.interruptions import Death, dying

WHO, ADDRESS = RECIPIENT.recipient_ref, RECIPIENT.address
Change = Callable[[DeliveryContext], None]


def file_consent(
    context: DeliveryContext, consent_id: str, patient_id: str = "p", **cells: str
) -> None:
    """Files a consent as the only one of the patient."""
    item = {**consents_key(patient_id), f"consent#{consent_id}": cells}
    context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))


def deny(context: DeliveryContext, patient_id: str = "p", **cells: str) -> None:
    """Files the patient's opt-out."""
    file_consent(context, "c-1", patient_id, **{"direction": "deny", "sensitivity": "all", **cells})


def leave(context: DeliveryContext) -> None:
    file_provider(context, WHO, address=ADDRESS, active=False)


def vanish(context: DeliveryContext) -> None:
    context.client("dynamodb").delete_item(
        TableName="registry", Key=to_item({"pk": f"provider#{WHO}", "sk": "provider"})
    )


CHANGES: dict[str, tuple[Change, str]] = {
    "the provider left": (leave, "RECIPIENT_OFF"),
    "the provider is not filed any more": (vanish, "NO_ENDPOINT"),
    "the provider wants no notices": (
        lambda context: file_provider(context, WHO, address=ADDRESS, notify=False),
        "RECIPIENT_OFF",
    ),
    "the relationship ended": (
        lambda context: file_relationship(context, WHO, active=False),
        "RECIPIENT_OFF",
    ),
    "the roster ended": (
        lambda context: file_relationship(context, WHO, active=False, roster_until="2026-01-01"),
        "ROSTER_EXPIRED",
    ),
    "the patient opted out": (deny, "OPTED_OUT"),
    "the patient denies this recipient": (
        lambda context: deny(context, provider_id=WHO),
        "OPTED_OUT",
    ),
}


def held(context: DeliveryContext, recipient: Any = RECIPIENT) -> DeliveryWorld:
    """An admission that waits, because deliveries are paused."""
    pause.set_switch(context, SwitchState.PAUSED, "operator")
    world = DeliveryWorld(context, (recipient,))
    assert world.run()["outcome"] == "held"
    pause.set_switch(context, SwitchState.ON, "operator")
    due_now()
    return world


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_mind_while_a_mail_waits_is_obeyed(
    context: DeliveryContext, change: str
) -> None:
    world = held(context)
    make, reason = CHANGES[change]
    make(context)
    assert release(context) == {"due": 1, "suppressed": 1}
    assert sent_mails() == []
    assert (world.item["state"], world.item["reason"]) == ("suppressed", reason)
    entry = entries(context, EVENT_ID)[-1]
    assert (entry["action"], entry["suppressed_because"]) == ("SUPPRESSED", reason)
    if reason == "OPTED_OUT":
        assert (entry["policy_file"], entry["consent_id"]) == ("consents", "c-1")
    assert release(context) == {"due": 0}


@pytest.mark.parametrize("reason", HoldReason)
def test_it_is_decided_again_for_whatever_reason_a_mail_waited(
    context: DeliveryContext, reason: HoldReason
) -> None:
    world = held(context)
    changes = {"hold_reason": reason, **({"resent": 1} if reason is HoldReason.RESEND else {})}
    table.update(context, world.delivery_id, changes)
    file_relationship(context, WHO, active=False)
    assert release(context)["suppressed"] == 1
    assert sent_mails() == []


def merge(context: DeliveryContext, merged: str, into: str) -> None:
    context.client("dynamodb").put_item(
        TableName="registry", Item=to_item({**patient_key(merged), "merged_into": into})
    )


def test_a_denial_that_was_withdrawn_after_a_merge_stops_no_mail(context: DeliveryContext) -> None:
    """The import copies a denial to the surviving patient, and ends the copy (docs/identity.md, Consents)."""
    world = held(context)
    deny(context)
    merge(context, "p", "q")
    file_relationship(context, WHO, patient_id="q")
    deny(context, "q", valid_until="2026-10-31")
    assert release(context)["sent"] == 1
    assert world.item["state"] == "sent"


def test_an_expired_roster_after_a_merge_stops_no_mail(context: DeliveryContext) -> None:
    """The surviving record has nothing but the roster; the merged one has the family doctor."""
    world = held(context)
    merge(context, "p", "q")
    file_relationship(context, WHO, patient_id="q", relationship=[], roster_until="2026-01-31")
    assert release(context)["sent"] == 1
    assert world.item["state"] == "sent"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize(("days_ago", "state"), [(0, "sent"), (1, "suppressed")])
def test_a_roster_ends_with_the_day_of_the_hospital(
    request: pytest.FixtureRequest,
    aws: Any,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    days_ago: int,
    state: str,
) -> None:
    """In one of these zones it is another day now than in UTC."""
    sender = {"name": ADMISSION.sender, "time_zone": zone}
    configuration.deploy(configuration.document(sender), monkeypatch)
    context = request.getfixturevalue("context")
    world = held(context)
    until = datetime.now(ZoneInfo(zone)).date() - timedelta(days=days_ago)
    file_relationship(context, WHO, active=False, roster_until=until.isoformat())
    release(context)
    assert world.item["state"] == state


def test_the_workflow_decides_again_too(context: DeliveryContext) -> None:
    world = DeliveryWorld(context)
    file_relationship(context, WHO, active=False)
    assert world.run()["outcome"] == "suppressed"
    assert world.run()["outcome"] == "suppressed"
    assert world.actions == ["SUPPRESSED"]


def test_a_changed_address_is_used_also_for_a_mail_that_was_stored_before(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = DeliveryWorld(context)
    with monkeypatch.context() as full:
        full.setattr("lambdas.delivery.ledger.sending.rate.may_send", lambda *_: False)
        assert world.run()["hold_reason"] == "rate"
    file_provider(context, WHO, address="petra@newclinic.example")
    due_now()
    assert release(context)["sent"] == 1
    assert [mail["To"] for mail in sent_mails()] == ["petra@newclinic.example"]
    assert world.item["endpoint_ref"] == context.reference_keys.reference(
        "address", "petra@newclinic.example"
    )


def test_a_part_2_notice_names_the_consent_of_now_also_for_a_mail_that_was_stored_before(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.UNIT)
    marked = replace(ADMISSION, numbers=replace(ADMISSION.numbers, sensitive=(unit,)))
    world = DeliveryWorld(context, patient_event=marked)
    permission = {"direction": "permit", "sensitivity": "substance_use"}
    file_consent(context, "first-form", **permission)
    with monkeypatch.context() as full:
        full.setattr("lambdas.delivery.ledger.sending.rate.may_send", lambda *_: False)
        assert world.run()["hold_reason"] == "rate"
    file_consent(context, "second-form", **permission)
    due_now()
    assert release(context)["sent"] == 1
    (mail,) = sent_mails()
    assert "second-form" in mail.as_string()
    assert "first-form" not in mail.as_string()


def test_the_audit_of_an_event_in_a_summary_names_the_consent_of_now(
    context: DeliveryContext,
) -> None:
    unit = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.UNIT)
    marked = replace(ADMISSION, numbers=replace(ADMISSION.numbers, sensitive=(unit,)))
    events = [replace(marked, event_id=f"{number:032x}") for number in (1, 2)]
    for event in events:
        assert DeliveryWorld(context, (DIGEST,), event).run()["outcome"] == "held"
    file_consent(context, "form", direction="permit", sensitivity="substance_use")
    due_now()
    assert release(context)["sent"] == 1
    for event in events:
        sent = entries(context, event.event_id)[-1]
        assert (sent["action"], sent.get("consent_id")) == ("SENT", "form")
        assert sent["policy_rule"]


@pytest.mark.parametrize(
    ("chosen", "now", "is_minimal"),
    [
        (DetailLevel.FULL, "minimal", True),
        (DetailLevel.MINIMAL, "full", True),
        # Without a certificate that can be used nothing but the minimum goes in the clear.
        (DetailLevel.FULL, "smime", True),
        (DetailLevel.SMIME, "full", True),
        (DetailLevel.FULL, "full", False),
    ],
)
def test_the_stricter_of_two_choices_counts(
    context: DeliveryContext, chosen: DetailLevel, now: str, is_minimal: bool
) -> None:
    held(context, replace(RECIPIENT, detail=chosen))
    file_provider(context, WHO, address=ADDRESS, detail=now)
    assert release(context)["sent"] == 1
    (mail,) = sent_mails()
    assert ("Okonjo" not in mail.as_string()) is is_minimal


def test_while_the_registry_does_not_answer_nothing_is_sent(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = DeliveryWorld(context)
    dynamodb = context.client("dynamodb")

    real = dynamodb.batch_get_item

    def fails(**asked: Any) -> Any:
        if "registry" in asked["RequestItems"]:
            raise EndpointConnectionError(endpoint_url="dynamodb")
        return real(**asked)

    with monkeypatch.context() as broken:
        broken.setattr(dynamodb, "batch_get_item", fails)
        with pytest.raises(DependencyUnavailableError):
            world.run()
    assert sent_mails() == []
    assert world.run()["outcome"] == "sent"


def test_a_send_costs_one_query_of_the_registry(context: DeliveryContext) -> None:
    world = DeliveryWorld(context)
    asked: list[str] = []
    events = context.client("dynamodb").meta.events

    def count(params: dict[str, Any], **_: Any) -> None:
        asked.extend(params["RequestItems"])

    events.register("provide-client-params.dynamodb.BatchGetItem", count)
    assert world.run()["outcome"] == "sent"
    events.unregister("provide-client-params.dynamodb.BatchGetItem", count)
    assert asked.count("registry") == 1


@pytest.mark.parametrize("change", ["the relationship ended", "the patient opted out"])
def test_a_withdrawal_reaches_those_who_were_told(context: DeliveryContext, change: str) -> None:
    told = DeliveryWorld(context)
    told.run()
    CHANGES[change][0](context)
    notice = FirstNotice(EVENT_ID, told.delivery_id, told.item["sent_at"], EventKind.ADMISSION)
    cancelled = replace(ADMISSION, event_id="9" * 32, event_kind=EventKind.CANCEL_ADMISSION)
    recipient = replace(RECIPIENT, cancels=notice)
    world = DeliveryWorld(context, (recipient,), cancelled)
    CHANGES[change][0](context)
    assert world.run()["outcome"] == "sent"
    assert len(sent_mails()) == 2
    assert "embolism" not in sent_mails()[1].as_string()


def test_a_withdrawal_does_not_go_to_the_address_of_a_provider_who_left(
    context: DeliveryContext,
) -> None:
    told = DeliveryWorld(context)
    told.run()
    notice = FirstNotice(EVENT_ID, told.delivery_id, told.item["sent_at"], EventKind.ADMISSION)
    cancelled = replace(ADMISSION, event_id="9" * 32, event_kind=EventKind.CANCEL_ADMISSION)
    world = DeliveryWorld(context, (replace(RECIPIENT, cancels=notice),), cancelled)
    leave(context)
    assert world.run()["outcome"] == "suppressed"
    assert len(sent_mails()) == 1


def test_of_a_summary_only_what_may_still_be_told_is_told(context: DeliveryContext) -> None:
    recipient = replace(RECIPIENT, digest_at="07:00", time_zone="America/Halifax")
    first, second, third = worlds(context, 3, recipient)
    for world in (first, second, third):
        assert world.run()["outcome"] == "held"
    due_now()
    # The third event is about another patient, with whom the relationship ended.
    set_patient(context, third, "q")
    file_relationship(context, WHO, patient_id="q", active=False)
    assert release(context)["sent"] == 1
    (mail,) = sent_mails()
    assert "2" in mail["Subject"]
    assert states() == {"sent": 3, "suppressed": 1}
    assert third.item["reason"] == "RECIPIENT_OFF"


def test_a_summary_of_which_nothing_may_be_told_is_not_sent(context: DeliveryContext) -> None:
    recipient = replace(RECIPIENT, digest_at="07:00", time_zone="America/Halifax")
    for world in worlds(context, 2, recipient):
        world.run()
    due_now()
    deny(context)
    assert release(context)["suppressed"] == 1
    assert sent_mails() == []
    assert states() == {"suppressed": 3}


@pytest.mark.parametrize(
    "change",
    [
        lambda context: file_relationship(context, WHO, active=False),
        lambda context: deny(context, provider_id=WHO),
    ],
    ids=["the relationship ended", "the patient denies the one who named them"],
)
def test_a_fallback_is_told_while_the_one_who_named_them_may_be(
    context: DeliveryContext, change: Change
) -> None:
    world = world_with_fallback(context)
    reference = context.reference_keys.reference("address", ADDRESS.casefold())
    address_problems.report(context, AddressProblemState.ENDPOINT_BAD, reference, recipient_ref=WHO)
    with pytest.raises(Exception, match="bounced or complained"):
        world.run()
    change(context)
    assert release(context) == {"due": 1, "suppressed": 1}
    assert sent_mails() == []


def test_a_surrogate_is_told_while_the_absent_provider_names_them(
    context: DeliveryContext,
) -> None:
    surrogate = replace(
        RECIPIENT,
        reasons=(RecipientReason.PRIMARY_CARE, RecipientReason.SURROGATE),
        stands_for=("absent",),
    )
    file_provider(context, "absent", address="a@clinic.example", stands_in=WHO)
    file_relationship(context, "absent")
    world = held(context, surrogate)
    file_relationship(context, WHO, active=False)
    assert release(context)["sent"] == 1
    other = replace(ADMISSION, event_id="9" * 32)
    file_provider(context, "absent", address="a@clinic.example", stands_in="somebody else")
    again = DeliveryWorld(context, (surrogate,), other)
    assert again.run()["outcome"] == "suppressed"
    assert world.item["state"] == "sent"


def test_a_facility_that_the_event_names_needs_no_relationship(context: DeliveryContext) -> None:
    world = DeliveryWorld(context, (replace(RECIPIENT, by_event=True),))
    file_relationship(context, WHO, active=False)
    assert world.run()["outcome"] == "sent"


OTHER = Addressee("k1.other", (RecipientReason.CARE_TEAM,), "k1.other", STAND_IN.name)


def shared(context: DeliveryContext) -> DeliveryWorld:
    """A mail to two providers who share an address."""
    return DeliveryWorld(context, (replace(RECIPIENT, also=(OTHER,)),))


@pytest.mark.parametrize("address", ["", "Dr Lindqvist"])
def test_a_summary_to_an_address_that_is_none_is_refused_with_its_events(
    context: DeliveryContext, address: str
) -> None:
    for world in worlds(context, 2):
        world.run()
    due_now()
    file_provider(context, WHO, address=address)
    assert release(context) == {"due": 2, "refused": 1}
    assert states() == {"refused": 3}
    assert sent_mails() == []


def told(context: DeliveryContext) -> list[tuple[str, str]]:
    """The actions of the event's audit chain with their recipients."""
    return [(entry["action"], entry["recipient_ref"]) for entry in entries(context, EVENT_ID)]


def test_of_a_shared_mail_one_who_may_not_be_told_is_left_out(context: DeliveryContext) -> None:
    world = shared(context)
    file_relationship(context, "k1.other", active=False)
    assert world.run()["outcome"] == "sent"
    (mail,) = sent_mails()
    assert "Lindqvist" in mail.as_string()
    assert "Adu" not in mail.as_string()
    assert told(context) == [("SUPPRESSED", "k1.other"), ("SENT", WHO)]
    assert "also" not in world.item


def test_one_left_out_of_a_sent_mail_is_audited_also_when_the_run_dies(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shared(context)
    file_relationship(context, "k1.other", active=False)
    with monkeypatch.context() as crash:
        crash.setattr(chain, "append_decided", dying(chain.append_decided, "after"))
        with pytest.raises(Death):
            world.run()
    world.run()
    assert ("SUPPRESSED", "k1.other") in told(context)


def test_who_shared_the_mail_of_one_who_left_gets_a_mail_of_their_own(
    context: DeliveryContext,
) -> None:
    world = shared(context)
    leave(context)
    assert world.run()["outcome"] == "suppressed"
    assert release(context) == {"due": 1, "sent": 1}
    (mail,) = sent_mails()
    assert "Adu" in mail.as_string()
    assert "Lindqvist" not in mail.as_string()
    assert told(context) == [("SUPPRESSED", WHO), ("SENT", "k1.other")]


def test_who_moved_from_a_shared_address_gets_the_mail_at_the_new_one(
    context: DeliveryContext,
) -> None:
    world = shared(context)
    file_provider(context, "k1.other", address="kofi@newclinic.example")
    assert world.run()["outcome"] == "sent"
    assert release(context) == {"due": 1, "sent": 1}
    assert [mail["To"] for mail in sent_mails()] == [ADDRESS, "kofi@newclinic.example"]
    assert told(context) == [("SENT", WHO), ("SENT", "k1.other")]


def set_patient(context: DeliveryContext, world: DeliveryWorld, patient_id: str) -> None:
    """Makes the event of a world one of another patient."""
    bucket, key = context.settings.vault_bucket, ""
    for found in boto3.client("s3").list_objects_v2(Bucket=bucket)["Contents"]:
        if world.patient_event.event_id in found["Key"] and "identities" in found["Key"]:
            key = found["Key"]
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    changed = body.replace('"patient_id":"p"', f'"patient_id":"{patient_id}"').replace(
        '"patient_id": "p"', f'"patient_id": "{patient_id}"'
    )
    assert changed != body
    version = boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=changed.encode())
    task = {**world.item["task"]}
    task["identities"] = {**task["identities"], "version_id": version["VersionId"]}
    table.update(context, world.delivery_id, {"task": task})
