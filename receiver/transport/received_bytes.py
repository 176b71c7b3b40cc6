"""The received bytes of a connection: a long read is decoded in parts, so that others get their turns."""

from hl7.mllp import Decoder, Frame, FrameFault

TURN_BYTES = 65_536
"""Bytes that are decoded in one turn of the event loop; then other connections have theirs."""


class ReceivedBytes:
    """The decoder of one connection, and the received bytes that it has not got yet."""

    __slots__ = ("_decoded", "decoder", "rest")

    def __init__(self, max_message_bytes: int) -> None:
        self.decoder = Decoder(max_message_bytes, strict_start=True)
        self.rest, self._decoded = b"", 0  # waiting bytes, and how many of them are decoded

    @property
    def held_bytes(self) -> int:
        """The bytes in memory: the unfinished frame and those that wait."""
        return self.decoder.buffered + len(self.rest) - self._decoded

    def keep(self, data: bytes) -> None:
        """Keeps a long read, or one that follows it, for `next_part`."""
        self.rest, self._decoded = self.rest[self._decoded :] + data, 0

    def next_part(self) -> bytes:
        """The bytes for one turn; b"" when the decoder has more of the last ones."""
        if self.decoder.has_more:
            return b""
        until = self._decoded + TURN_BYTES
        data = self.rest[self._decoded : until]
        self._decoded = until
        if until >= len(self.rest):
            self.drop()
        return data

    def drop(self) -> None:
        """Forgets the bytes that wait."""
        self.rest, self._decoded = b"", 0

    def end(self, fault: FrameFault) -> list[Frame]:
        """Every frame that is left; the unfinished one has the fault."""
        rest = self.rest[self._decoded :]
        self.drop()
        frames = self.decoder.feed(rest) if rest else []
        return [*frames, *self.decoder.end(fault)]
