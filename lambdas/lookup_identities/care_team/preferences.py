"""Whether a recipient wants to be told of an event, and who is told in their place. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from lambdas.common.contracts.models import CANCELS, PatientEvent
from lambdas.lookup_identities.registry.records import Wishes

RECIPIENT_FILTER = "RECIPIENT_FILTER"
"""The recipient asked not to be told of such events."""


@dataclass(frozen=True, slots=True)
class NotificationSubject:
    """What is to be told, as far as a recipient can choose by it; `today` is YYYY-MM-DD in UTC."""

    kind: str = ""
    patient_class: str = ""
    facilities: tuple[str, ...] = field(repr=False, default=())
    today: str = ""

    @classmethod
    def of(cls, event: PatientEvent) -> "NotificationSubject":
        """The occasion that an event is today."""
        return cls(
            kind=event.kind,
            patient_class=event.visit.patient_class,
            facilities=(
                event.sender,
                event.sending_facility.partition("^")[0],
                event.visit.location.facility,
            ),
            today=datetime.now(UTC).date().isoformat(),
        )


def wants(wishes: Wishes, occasion: NotificationSubject) -> bool:
    """Whether the recipient's filters let the occasion through.

    What an event does not say cannot be filtered by: a visit without a class is told.
    """
    facilities = {name.strip().casefold() for name in occasion.facilities if name.strip()}
    wanted = {name.casefold() for name in wishes.facilities}
    return (
        # Who was told of an event is told that it is withdrawn: that is not theirs to filter.
        (occasion.kind in CANCELS or _one_of(occasion.kind, wishes.kinds))
        and _one_of(occasion.patient_class, wishes.patient_classes)
        and (not wanted or not facilities or bool(facilities & wanted))
    )


def _one_of(value: str, chosen: tuple[str, ...]) -> bool:
    return not chosen or not value or value in chosen
