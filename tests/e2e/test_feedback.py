"""A mailbox that bounces and a reader who complains: who stands in is told once, the operator sees it."""

import pytest

from tests.support.local_system import LocalSystem, wait_for
from tests.support.messages import sample

RELEASED = 150.0
"""Held deliveries go out every minute; a busy machine needs longer for one."""

FULTON, CHEN = "hana.fulton@bounce.example", "wei.chen@heartcare.example"
MOREAU, LINDQVIST = "lucie.moreau@complaint.example", "petra.lindqvist@millclinic.example"
DEMIR = (b"H00702", b"Demir^Yusuf", b"19660721", b"M")
LAINE = (b"H01044", b"Laine^Oskar", b"19781102", b"M")


def admission_of(person: tuple[bytes, bytes, bytes, bytes], control_id: bytes) -> bytes:
    """The sample admission, of another patient."""
    identifier, name, born, sex = person
    message = sample("admission").replace(b"NG-20261123-000731", control_id)
    message = message.replace(b"H00412", identifier).replace(b"Okafor^Amara^N", name)
    return message.replace(b"|19580214|F|", b"|" + born + b"|" + sex + b"|")


def told(system: LocalSystem, event_id: str) -> list[str]:
    """Who was told of the event, in turn."""
    return [address for mail in system.mails(event_id) for address in mail["to"]]


def actions(system: LocalSystem, event_id: str) -> list[str]:
    """The actions in the event's audit."""
    found = system.event(event_id)
    return [entry["action"] for entry in found["entries"]] if found else []


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("person", "address", "stand_in", "action"),
    [(DEMIR, FULTON, CHEN, "BOUNCED"), (LAINE, MOREAU, LINDQVIST, "COMPLAINED")],
    ids=["bounce", "complaint"],
)
def test_a_mail_that_fails_is_told_to_the_stand_in_once_and_later_events_at_once(
    system: LocalSystem,
    person: tuple[bytes, bytes, bytes, bytes],
    address: str,
    stand_in: str,
    action: str,
) -> None:
    event_id = system.process_message(admission_of(person, action.encode()))["event_id"]
    wait_for(lambda: action in actions(system, event_id), f"the audit entry {action}")
    wait_for(lambda: len(told(system, event_id)) == 2, "the stand-in's mail", RELEASED)
    assert told(system, event_id) == [address, stand_in]
    assert "could not be delivered to" in " ".join(system.mails(event_id)[1]["text"].split())

    shown = system.ens("trace", event_id)
    assert action.lower() in shown
    problems = system.ens("deliveries", "problems")
    assert action.lower() in problems
    for private in ("example", "Demir", "Laine", "Fulton", "Moreau"):
        assert private not in shown + problems

    later = system.process_message(admission_of(person, action.encode() + b"-AGAIN"))
    wait_for(lambda: told(system, later["event_id"]), "the stand-in's second mail", RELEASED)
    assert told(system, later["event_id"]) == [stand_in]
    assert told(system, event_id) == [address, stand_in]
