"""`python -m bench.receiver.instant [take]`: runs the receiver with a store that confirms at once.

Frames, MSH, event id, message group, acknowledgement and metrics are the real ones. With `take` the
event id and the message group are left out too: it frames, checks and acknowledges only.
"""

import sys

import receiver.app
from receiver.__main__ import main
from receiver.intake.intake import Intake
from receiver.storage.store import IncomingMessage, Store, StoredMessage


class InstantStore(Store):
    """Confirms without a call."""

    async def put_message(self, message: IncomingMessage) -> StoredMessage:
        """Returns the object that would be stored."""
        return StoredMessage(f"events/{message.event_id}/message.hl7", "v1", "", len(message.er7))

    async def send_envelope(self, message: IncomingMessage, stored: StoredMessage) -> None:
        """Returns."""


async def _taken(*_: object) -> None:
    """The result of `Intake` when everything is stored."""


if __name__ == "__main__":
    if "take" in sys.argv[1:]:
        # Seams for this measurement alone.
        setattr(Intake, "_incoming", lambda *_: None)  # noqa: B010
        setattr(Intake, "_store_message", _taken)  # noqa: B010
    else:
        setattr(receiver.app, "Store", InstantStore)  # noqa: B010
    sys.exit(main())
