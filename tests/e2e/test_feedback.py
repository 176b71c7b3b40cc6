"""A mailbox that bounces and a reader who complains: who stands in is told once, the operator sees it."""

from dataclasses import dataclass

from tests.support.local_system import LocalSystem, wait_for
from tests.support.messages import of_another_stay, sample


@dataclass(frozen=True)
class Failing:
    """A patient of a provider whose mail fails, who stands in, and what the audit then says."""

    identifier: bytes
    name: bytes
    born: bytes
    address: str
    stand_in: str
    action: str

    def admission(self, again: bytes = b"") -> bytes:
        """The sample admission, of this patient."""
        message = of_another_stay(sample("admission"), self.action.encode() + again)
        message = message.replace(b"H00412", self.identifier).replace(b"Okafor^Amara^N", self.name)
        return message.replace(b"|19580214|F|", b"|" + self.born + b"|M|")


BOUNCE = Failing(
    *(b"H00702", b"Demir^Yusuf", b"19660721"),
    *("hana.fulton@bounce.example", "wei.chen@heartcare.example", "BOUNCED"),
)
COMPLAINT = Failing(
    *(b"H01044", b"Laine^Oskar", b"19781102"),
    *("lucie.moreau@complaint.example", "petra.lindqvist@millclinic.example", "COMPLAINED"),
)


def told(system: LocalSystem, event_id: str) -> list[str]:
    """The recipients of the event, in the order of sending."""
    return [address for mail in system.mails(event_id) for address in mail["to"]]


def test_a_mail_that_fails_is_told_to_the_stand_in_once_and_later_events_at_once(
    system: LocalSystem,
) -> None:
    events = [(one, first_and_later(system, one)) for one in (BOUNCE, COMPLAINT)]
    for one, (first, later) in events:
        wait_until_told(system, later, [one.stand_in])
        text = " ".join(system.mails(first)[1]["text"].split())
        assert "could not be delivered to" in text
    for one, (first, _) in events:
        shown, problems = system.ens("trace", first), system.ens("deliveries", "problems")
        assert one.action.lower() in shown
        assert one.action.lower() in problems
        for private in ("example", "Demir", "Laine", "Fulton", "Moreau"):
            assert private not in shown + problems
    for one, (first, later) in events:
        assert (told(system, first), told(system, later)) == (
            [one.address, one.stand_in],
            [one.stand_in],
        )


def first_and_later(system: LocalSystem, one: Failing) -> tuple[str, str]:
    """The ids of the event whose mail failed, and of one that came once the stand-in was told."""
    first = system.process_message(one.admission())["event_id"]
    wait_for(lambda: one.action in system.actions(first), f"the audit entry {one.action}")
    wait_until_told(system, first, [one.address, one.stand_in])
    return first, system.process_message(one.admission(b"-AGAIN"))["event_id"]


def wait_until_told(system: LocalSystem, event_id: str, addresses: list[str]) -> None:
    """Returns once that many mails of the event have gone out; they went to these."""

    def are_told() -> bool:
        system.release_deliveries()
        return len(told(system, event_id)) == len(addresses)

    wait_for(are_told, "the mail")
    assert told(system, event_id) == addresses
