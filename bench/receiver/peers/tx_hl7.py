"""`python -m bench.receiver.peers.tx_hl7 PORT`: txHL7's MLLP service on Twisted.

As its documentation shows it: the message is parsed, handled, and answered by the library's ACK.
"""

import sys
from typing import Any

from twisted.internet import reactor, threads
from txHL7.mllp import MLLPFactory
from txHL7.receiver import AbstractHL7Receiver, MessageContainer

from bench.receiver.peers.storing import HOST, Storing


class StoringReceiver(AbstractHL7Receiver):
    """Stores each message in Twisted's thread pool, then acknowledges it."""

    def __init__(self, storing: Storing) -> None:
        self._storing = storing

    def handleMessage(self, container: MessageContainer) -> Any:  # noqa: N802  the library's name
        """A deferred that ends in the ACK."""
        stored = threads.deferToThread(self._storing.store, str(container.message).encode())
        return stored.addCallback(lambda _: container.ack())

    def getCodec(self) -> tuple[str, str]:  # noqa: N802  the library's name
        """UTF-8."""
        return "utf-8", "strict"

    def getTimeout(self) -> None:  # noqa: N802  the library's name
        """None: connections stay."""


if __name__ == "__main__":
    reactor.suggestThreadPoolSize(32)
    reactor.listenTCP(int(sys.argv[1]), MLLPFactory(StoringReceiver(Storing())), 1024, HOST)
    reactor.run()
