"""The advice for each error name and delivery outcome, for `ens trace` and the console page, from advice.toml."""

import tomllib
from pathlib import Path

LOCAL = "local"
_TEXTS = tomllib.loads(Path(__file__).with_name("advice.toml").read_text("utf-8"))

ADVICE: dict[str, str] = _TEXTS["errors"]
ADVICE |= {name: ADVICE[other] for name, other in _TEXTS["as"].items()}
DELIVERY_ADVICE: dict[str, str] = _TEXTS["deliveries"]
"""The advice for recipients who were not notified, or may not have been."""


def for_error(error_name: str, event_id: str) -> str:
    """Returns the advice for an error name, with a general text for an unlisted one."""
    advice = ADVICE.get(
        error_name,
        "No advice is listed for this error. Open the execution in the Step Functions console and"
        " find the failed state. SQS redelivers the message, and moves it to the dead-letter queue in"
        " the end.",
    )
    return advice.format(event_id=event_id)


def for_recipient(outcome: str, recipient_ref: str, delivery_id: str) -> str:
    """Returns the advice for a recipient's outcome, "" when there is nothing to do."""
    text = DELIVERY_ADVICE.get(outcome, "")
    return text.format(recipient_ref=recipient_ref, delivery_id=delivery_id)


def in_environment(text: str, environment: str) -> str:
    """Returns the advice with commands that run as they are printed: `ens` acts on `local` by default."""
    return text if environment == LOCAL else text.replace("`ens ", f"`ens --env {environment} ")
