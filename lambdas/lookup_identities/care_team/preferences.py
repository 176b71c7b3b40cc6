"""Whether a recipient wants to be told of an event, and who is told in their place. Pure."""

from dataclasses import dataclass, field

from lambdas.common.contracts.encounters.encounter import Audience
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.registry.records import EventFilter


@dataclass(frozen=True, slots=True)
class NotificationSubject:
    """The attributes of an event by which a recipient can choose; `today` is YYYY-MM-DD, by the sender's time zone."""

    event_kind: EventKind = EventKind.NONE
    patient_class: str = ""
    facilities: tuple[str, ...] = field(repr=False, default=())
    today: str = ""

    @classmethod
    def of(cls, event: PatientEvent, today: str) -> "NotificationSubject":
        """The attributes of an event on a day. The kind is that of the notice for recipients who were not told before."""
        notices = event.decision.notices if event.decision else ()
        kinds = [notice.kind for notice in notices if notice.audience is not Audience.TOLD]
        return cls(
            event_kind=(*kinds, event.event_kind)[0],
            patient_class=event.visit.patient_class,
            facilities=(
                event.sender,
                event.sending_facility.partition("^")[0],
                event.visit.location.facility,
            ),
            today=today,
        )


def wants(event_filter: EventFilter, event: NotificationSubject) -> bool:
    """Whether the recipient's filters let the event through.

    A filter applies to values that the event gives: a visit without a class passes every filter by class.
    """
    facilities = {name.strip().casefold() for name in event.facilities if name.strip()}
    wanted = {name.casefold() for name in event_filter.facilities}
    return (
        # A cancellation goes to everybody who was told of the event: a filter does not apply.
        (event.event_kind in CANCELS or _one_of(event.event_kind, event_filter.event_kinds))
        and _one_of(event.patient_class, event_filter.patient_classes)
        and (not wanted or not facilities or bool(facilities & wanted))
    )


def _one_of(value: str, chosen: tuple[str, ...]) -> bool:
    return not chosen or not value or value in chosen
