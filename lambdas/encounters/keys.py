"""The keys under which an encounter is found: keyed hashes of its numbers, with the sender's name.

A hash is made with every key that the ring tries, the current one first, so that an encounter is found
after a rotation of the reference key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.keys import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterKeys:
    """The references of one message's numbers, by strength.

    `visit`: PV1-19 and PV1-50. `account`: PID-18. `patient_time`: an identifier of the patient with
    the time of admission. `patient`: an identifier alone, for senders without numbers. `key_id` is the
    current key's: references under older keys are read and not written.
    """

    key_id: str = ""
    visit: tuple[str, ...] = field(default=(), repr=False)
    account: tuple[str, ...] = field(default=(), repr=False)
    patient_time: tuple[str, ...] = field(default=(), repr=False)
    patient: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all(self) -> tuple[str, ...]:
        """Every reference once, the strongest first."""
        return tuple(dict.fromkeys((*self.visit, *self.account, *self.patient_time, *self.patient)))

    def written(self, kind: str) -> tuple[str, ...]:
        """The references of one kind that are written: those under the current key."""
        found: tuple[str, ...] = getattr(self, kind)
        return tuple(key for key in found if key.startswith(f"{kind}#{self.key_id}."))


def references(ring: KeyRing, kind: str, values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The references of these values under every key that is tried: all of the current key, then those of the others.

    Each is `<kind>#<key id>.<32 hex digits>`, as `KeyRing.reference` makes them, and stands once: a
    transaction of DynamoDB writes an item once, and senders repeat an identifier (PID-2 and PID-3, or as
    MR and PI).
    """
    found = tuple(dict.fromkeys(values))
    return tuple(
        f"{kind}#{ring.reference(kind, *parts, key_id=key_id)}"
        for key_id in ring.tried
        for parts in found
    )
