"""`python -m bench.receiver.peers.hl7apy_mllp PORT`: hl7apy's MLLPServer.

It takes one message per connection and closes. Its handler gets the text, which is stored unparsed, and
answers with the cheapest ACK there is: hl7apy's own parser and ACK would cost it milliseconds more.
"""

import sys

from hl7apy.mllp import AbstractHandler, MLLPServer

from bench.receiver.peers.storing import HOST, Storing, raw_acknowledgement


class StoringHandler(AbstractHandler):
    """Stores one message, then answers it."""

    def __init__(self, message: str, storing: Storing) -> None:
        super().__init__(message)
        self._storing = storing

    def reply(self) -> str:
        """The ACK in its frame."""
        message = self.incoming_message.encode()
        self._storing.store(message)
        return "\x0b" + raw_acknowledgement(message).decode() + "\x1c\r"


class BacklogServer(MLLPServer):
    """With the backlog that 500 connections need; hl7apy leaves the standard library's 5."""

    request_queue_size = 1024
    daemon_threads = True


if __name__ == "__main__":
    handlers = {"ADT^A01^ADT_A01": (StoringHandler, Storing())}
    BacklogServer(HOST, int(sys.argv[1]), handlers).serve_forever()
