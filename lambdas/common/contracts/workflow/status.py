"""The status of a patient event."""

from dataclasses import dataclass
from enum import StrEnum


class EventStatus(StrEnum):
    """OPEN: a workflow handles the event. COMPLETED and FAILED: how its newest execution ended."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusItem:
    """The item of one event in the status table. `day` is that of `received_at` (YYYY-MM-DD)."""

    event_id: str
    status: EventStatus
    day: str = ""
    received_at: str = ""
    updated_at: str = ""
    execution_arn: str = ""
    sender: str = ""
    error_name: str = ""
    failed_step: str = ""
