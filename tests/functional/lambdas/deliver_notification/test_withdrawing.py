"""A cancelled event: told to exactly those who were told of it, and once."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.encounter import Audience, Decision, Notice
from lambdas.common.contracts.event import CANCELS, EventKind, PatientEvent
from lambdas.common.contracts.identities import Identities
from lambdas.common.contracts.patient import Patient, PatientIdentifier
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery import delivery, mailer
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger import attempts
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancel
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.handler import lambda_handler as look_up
from lambdas.lookup_identities.registry.items import items
from lambdas.lookup_identities.settings import LookupSettings
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    beside,
    sent_ids,
    sent_mails,
)
from tests.support.lambda_context import LambdaContext
from tests.support.logs import on_stdout
from tests.support.vault import read_json, write_json

PERSON = Patient(
    identifiers=(PatientIdentifier("H1", "NORTHGEN"),),
    name=ADMISSION.patient.name,
    birth_date="1958-02-14",
    sex="F",
)
ENCOUNTER = "k1.encounter-of-one-stay"


def event(number: int, kind: EventKind, about: tuple[int, ...] = (1,)) -> PatientEvent:
    """An event of the one stay; a cancellation is about the events of these numbers."""
    cancels = kind in CANCELS
    notice = Notice(
        kind=kind,
        audience=Audience.TOLD if cancels else Audience.TEAM,
        about=tuple(f"{one:032x}" for one in about) if cancels else (),
    )
    return replace(
        ADMISSION,
        decision=Decision(
            event_id=f"{number:032x}",
            trigger_event="",
            decided_at=received_at(number),
            encounter_id=ENCOUNTER,
            notices=(notice,) if about or not cancels else (),
        ),
        event_id=f"{number:032x}",
        event_kind=kind,
        patient=PERSON,
        recorded_at=f"2026-11-23T1{number}:00:00-04:00",
    )


@pytest.fixture
def registry(context: DeliveryContext, aws: Any) -> Callable[..., None]:
    """Files the patient with these providers in care, all others out of it."""
    from lambdas.common.aws.items import to_item
    from lambdas.lookup_identities.registry.rows import COLUMNS

    def row(file: str, **cells: str) -> dict[str, str]:
        return {**dict.fromkeys(COLUMNS[file], ""), **cells}

    def file(*active: str) -> None:
        providers = ("petra", "wei")
        found = items(
            [
                row(
                    "patients.csv",
                    patient_id="p",
                    family="Okonjo",
                    birth_date="1958-02-14",
                    sex="F",
                )
            ],
            [row("identifiers.csv", authority="NORTHGEN", value="H1", patient_id="p")],
            [
                row(
                    "providers.csv",
                    provider_id=who,
                    family=who,
                    email=f"{who}@clinic.example",
                    detail="full",
                )
                for who in providers
            ],
            [
                row(
                    "relationships.csv",
                    patient_id="p",
                    provider_id=who,
                    relationship="care_team",
                    active="yes" if who in active else "no",
                )
                for who in providers
            ],
        )
        for item in found:
            context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))

    return file


def received_at(number: int) -> str:
    """The time at which the receiver took the event of this number."""
    return f"2026-11-23T1{number}:00:30.000Z"


def looked_up(
    context: DeliveryContext,
    patient_event: PatientEvent,
    encounter: str = ENCOUNTER,
    received: str = "",
) -> dict[str, Any]:
    """The task of the deliveries that the event asks for; nothing is delivered yet."""
    number = int(patient_event.event_id, 16)
    version = write_json(
        context, patient_event.event_id, "event.json", to_document(patient_event)
    ).version_id
    task = {
        "envelope": {
            "event_id": patient_event.event_id,
            "sender": "northgen",
            "received_at": received or received_at(number),
        },
        "parsed": {
            "encounter_ref": encounter,
            "version_id": version,
            "event_kind": patient_event.event_kind,
        },
        "clinical": {"outcome": "nothing_to_read"},
        "execution_arn": "arn",
        "attempt": 0,
    }
    with on_stdout("LookupIdentities"):
        own = LookupContext(LookupSettings.from_environment(), context.clients)
        found = look_up.with_context(own)(task, LambdaContext("LookupIdentities"))
    identities = {"version_id": found["version_id"], "patient_ref": found["patient_ref"]}
    return {**task, "identities": identities, "recipients": found["recipients"]}


def delivered(context: DeliveryContext, task: dict[str, Any]) -> list[str]:
    """The outcomes of the deliveries, made beside each other as in sandboxes of their own."""
    return [beside(context, {**task, **recipient})["outcome"] for recipient in task["recipients"]]


def run(
    context: DeliveryContext, patient_event: PatientEvent, encounter: str = ENCOUNTER
) -> list[str]:
    """Looks up and delivers as the workflow does; who was to be told."""
    delivered(context, looked_up(context, patient_event, encounter))
    document = read_json(context, patient_event.event_id, "identities.json")
    return [recipient.address for recipient in read_as(Identities, document).recipients]


def test_who_was_told_is_told_of_the_cancellation_and_nobody_else(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    assert run(context, event(1, EventKind.ADMISSION)) == ["petra@clinic.example"]
    registry("wei")  # Petra has left the circle of care meanwhile, Wei has come
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]

    first, second = sent_mails()
    assert second["Subject"].startswith("Admission cancelled:")
    text = second.get_body(("plain",))
    assert text is not None
    shown = " ".join(text.get_content().split())
    assert "First notice: Hospital admission, reference 00000000, sent" in shown
    assert "You were told of the event that is withdrawn here." in shown
    assert first["To"] == second["To"] == "petra@clinic.example"


def test_the_mails_of_a_stay_are_one_thread(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    run(context, event(2, EventKind.TRANSFER))
    run(context, event(3, EventKind.CANCEL_ADMISSION))
    mails, ids = sent_mails(), [f"<{one}@email.amazonses.com>" for one in sent_ids()]
    references = [mail["References"].split() for mail in mails]
    (root,) = references[0]
    assert references[1] == [root, ids[0]]
    assert references[2] == [root, *ids[:2]]
    assert [mail["In-Reply-To"] for mail in mails] == [None, *ids[:2]]
    texts = [mail.get_body(("plain",)) for mail in mails]
    stays = [re.findall("Stay ([0-9A-F]{8})", text.get_content()) for text in texts if text]
    assert stays == [[root[6:14].upper()]] * 3


def test_a_cancellation_of_what_nobody_was_told_tells_nobody(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    assert run(context, event(1, EventKind.CANCEL_ADMISSION)) == []
    assert run(context, event(2, EventKind.TRANSFER)) == ["petra@clinic.example"]
    assert run(context, event(3, EventKind.CANCEL_DISCHARGE)) == []
    assert run(context, event(4, EventKind.CANCEL_TRANSFER), encounter="") == []
    assert run(context, event(5, EventKind.CANCEL_TRANSFER), encounter="k1.another") == []
    assert len(sent_mails()) == 1


def test_what_was_withdrawn_is_not_withdrawn_twice(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(3, EventKind.CANCEL_ADMISSION, about=())) == []
    assert run(context, event(4, EventKind.ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(5, EventKind.CANCEL_ADMISSION, about=(4,))) == [
        "petra@clinic.example"
    ]
    assert len(sent_mails()) == 4


def test_another_encounter_is_left_alone(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    stay = NotifiedEncounter("another encounter")
    assert (
        cancel(
            context, stay, NotifiedEvent.of(event(2, EventKind.CANCEL_ADMISSION), received_at(2))
        )
        == frozenset()
    )
    assert run(context, event(3, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]


def test_an_event_that_is_redriven_after_its_cancellation_is_told_to_nobody(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra", "wei")
    admission = looked_up(context, event(1, EventKind.ADMISSION))
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == []
    assert delivered(context, admission) == ["suppressed", "suppressed"]
    assert delivered(context, admission) == ["suppressed", "suppressed"]
    assert sent_mails() == []
    entries = [e for e in chain.entries(context, f"{1:032x}") if e["step"] == "DeliverNotification"]
    assert [(e["action"], e["suppressed_because"]) for e in entries] == [
        ("SUPPRESSED", f"{2:032x}"),
        ("SUPPRESSED", f"{2:032x}"),
    ]


def test_an_event_that_comes_after_its_cancellation_on_another_connection_is_told_to_nobody(
    context: DeliveryContext,
    registry: Any,
) -> None:
    registry("petra")
    run(context, event(2, EventKind.CANCEL_ADMISSION))
    late = event(1, EventKind.ADMISSION)
    assert delivered(context, looked_up(context, late, received=received_at(3))) == ["suppressed"]


def test_a_new_admission_under_the_same_number_stands_even_if_the_cancellation_is_redriven(
    context: DeliveryContext,
    registry: Any,
) -> None:
    registry("petra")
    run(context, event(1, EventKind.CANCEL_ADMISSION))
    assert run(context, event(2, EventKind.ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(1, EventKind.CANCEL_ADMISSION)) == []
    assert [mail["Subject"].split(":")[0] for mail in sent_mails()] == ["Hospital admission"]


def test_a_transfer_is_not_suppressed_when_the_admission_was_withdrawn(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    run(context, event(2, EventKind.CANCEL_ADMISSION, about=(3,)))
    assert delivered(context, looked_up(context, event(1, EventKind.TRANSFER))) == ["sent"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (mailer, "store"),
        (attempts, "claim"),
        (delivery, "enlisted"),
        (delivery, "why_suppressed"),
        (attempts, "begin_sending"),
        (mailer, "send"),
        (attempts, "confirm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whenever_the_cancellation_comes_both_are_told_or_neither(
    context: DeliveryContext,
    registry: Any,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    moment: str,
) -> None:
    registry("petra")
    admission, again = looked_up(context, event(1, EventKind.ADMISSION)), []

    def cancel() -> None:
        cancellation = looked_up(context, event(2, EventKind.CANCEL_ADMISSION))
        try:
            delivered(context, cancellation)
        except DependencyUnavailableError:
            again.append(cancellation)

    real = getattr(module, name)

    def meanwhile(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, name, real)
        if moment == "before":
            cancel()
        answer = real(*arguments, **named)
        if moment == "after":
            cancel()
        return answer

    monkeypatch.setattr(module, name, meanwhile)
    delivered(context, admission)
    for cancellation in again:
        delivered(context, cancellation)
    told = [mail["Subject"].split(":")[0] for mail in sent_mails()]
    assert told in ([], ["Hospital admission", "Admission cancelled"])


def test_a_first_notice_that_died_on_its_way_is_suppressed_and_so_is_its_cancellation(
    context: DeliveryContext, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry("petra")
    admission = looked_up(context, event(1, EventKind.ADMISSION))
    monkeypatch.setattr(attempts, "LEASE_MS", -1)
    with monkeypatch.context() as crash:
        crash.setattr(attempts, "begin_sending", dies)
        with pytest.raises(RuntimeError):
            delivered(context, admission)
    cancellation = looked_up(context, event(2, EventKind.CANCEL_ADMISSION))
    assert delivered(context, cancellation) == ["suppressed"]
    assert delivered(context, admission) == ["suppressed"]
    assert sent_mails() == []


def dies(*arguments: Any) -> None:
    """The run ends here."""
    raise RuntimeError
