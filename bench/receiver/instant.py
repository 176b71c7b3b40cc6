"""`python -m bench.receiver.instant [take]`: runs the receiver with a store that confirms at once.

Frames, MSH, event id, message group, acknowledgement and metrics are the real ones. With `take` the
event id and the message group are left out too: it frames, checks and acknowledges only.
"""

import sys
from typing import Any

from receiver.__main__ import main
from receiver.intake.intake import Intake
from receiver.storage.store import IncomingMessage, Store, StoredMessage

NO_MESSAGE = IncomingMessage("", "", "", "", "", b"")


class InstantStore(Store):
    """Confirms without a call."""

    async def put_message(self, message: IncomingMessage) -> StoredMessage:
        """Returns the object that would be stored."""
        return StoredMessage(f"events/{message.event_id}/message.hl7", "v1", "", len(message.er7))

    async def send_envelope(self, message: IncomingMessage, stored: StoredMessage) -> None:
        """Returns."""


class AckOnlyIntake(Intake):
    """Computes no event id and no message group, and confirms each message without storing it."""

    def _incoming(self, *_: Any, **__: Any) -> IncomingMessage:
        return NO_MESSAGE

    async def _store_message(self, *_: Any, **__: Any) -> None:
        return None


if __name__ == "__main__":
    sys.exit(
        main(intake_type=AckOnlyIntake) if "take" in sys.argv[1:] else main(store_type=InstantStore)
    )
