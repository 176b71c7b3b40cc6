"""Audit entries about patients and recipients, as the table holds them."""

from typing import Any

from ops.events.timeline import Entry

EVENT, SECOND_EVENT = "670f7743" + "0" * 24, "11aa22bb" + "0" * 24
PATIENT, PROVIDER, OTHER = "k1." + "a" * 32, "k1." + "b" * 32, "k1." + "c" * 32


def entry(action: str, second: int = 0, event_id: str = EVENT, **facts: Any) -> Entry:
    """An entry of 4 March 2026, 13:12 and so many seconds."""
    moment = f"2026-03-04T13:12:{second:02d}.000Z"
    return {
        "event_id": event_id,
        "sk": f"{second + 1:08d}",
        "time": moment,
        "action": action,
        "patient_ref": PATIENT,
        "sender": "northgen",
        **facts,
    }


def resolved(*told: dict[str, Any], considered: tuple[dict[str, Any], ...] = ()) -> Entry:
    """LookupIdentities' entry about an admission."""
    return entry(
        "RESOLVED", event_kind="admission", recipients=list(told), considered=list(considered)
    )


def of_delivery(action: str, second: int, **facts: Any) -> Entry:
    """An entry about the delivery to PROVIDER."""
    known = {"recipient_ref": PROVIDER, "delivery_id": "d1", "channel": "email"}
    return entry(action, second, **(known | facts))


TOLD = [
    resolved({"recipient_ref": PROVIDER, "reasons": ["primary_care"], "detail": "full"}),
    of_delivery(
        "SENT",
        3,
        event_kind="admission",
        detail="full",
        reasons=["primary_care"],
        policy_file="us-federal",
        policy_rule="treatment",
        policy_version="3",
    ),
    of_delivery("DELIVERED", 9, ses_event="DELIVERED#x"),
]
