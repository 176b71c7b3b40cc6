"""The kinds of patient events and of the notices about them."""

from enum import StrEnum


class EventKind(StrEnum):
    """The kind of a patient event and of its notice; `NONE`: nobody is notified.

    `registration` is one without a patient class; `ed_` are the emergency department's. `correction`
    and `update` are about an earlier notice of the same encounter.
    """

    NONE = ""
    ADMISSION = "admission"
    OBSERVATION = "observation"
    REGISTRATION = "registration"
    ED_REGISTRATION = "ed_registration"
    TRANSFER = "transfer"
    DISCHARGE = "discharge"
    ED_DISCHARGE = "ed_discharge"
    DEATH = "death"
    CANCEL_ADMISSION = "cancel_admission"
    CANCEL_TRANSFER = "cancel_transfer"
    CANCEL_DISCHARGE = "cancel_discharge"
    CANCEL_DEATH = "cancel_death"
    CORRECTION = "correction"
    UPDATE = "update"


NOTIFIED = tuple(kind for kind in EventKind if kind is not EventKind.NONE)
"""The kinds of events that are notified."""

BEGINS = frozenset(
    {
        EventKind.ADMISSION,
        EventKind.OBSERVATION,
        EventKind.REGISTRATION,
        EventKind.ED_REGISTRATION,
    }
)
"""The kinds whose time is the visit's begin (PV1-44)."""

DISCHARGES = frozenset({EventKind.DISCHARGE, EventKind.ED_DISCHARGE})

ENDS = DISCHARGES | {EventKind.DEATH}
"""The kinds whose time is the visit's end (PV1-45)."""

CANCELS = {
    EventKind.CANCEL_ADMISSION: (
        EventKind.ADMISSION,
        EventKind.OBSERVATION,
        EventKind.REGISTRATION,
        EventKind.ED_REGISTRATION,
    ),
    EventKind.CANCEL_TRANSFER: (EventKind.TRANSFER,),
    EventKind.CANCEL_DISCHARGE: (EventKind.DISCHARGE, EventKind.ED_DISCHARGE),
    EventKind.CANCEL_DEATH: (EventKind.DEATH,),
    EventKind.CORRECTION: (EventKind.ADMISSION,),
}
"""The kinds that each cancellation or correction withdraws. It goes to the recipients of those notices only."""
