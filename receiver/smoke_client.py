"""`python -m receiver.smoke_client`: sends the messages of `ens smoke` from inside the VPC.

Runs as a one-off ECS task, connects to the load balancer like a hospital system, and prints one JSON line
for each message: its name, and the acknowledgement or the error. The messages name invented patients, so
the log holds no patient data.

Variables: ENS_SMOKE_HOST, ENS_SMOKE_PORT, ENS_SMOKE_MESSAGES (JSON, LZMA, base64); for TLS
ENS_SMOKE_TLS=on, ENS_SMOKE_SERVER_NAME, and ENS_SMOKE_IDENTITY (JSON with `ca`, and for mutual TLS
`certificate` and `key`, in PEM).
"""

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hl7.mllp import Decoder, wrap
from receiver.settings import SmokeSettings, read_smoke_settings
from receiver.transport.tls import client_context

TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 1 << 20


def main() -> int:
    """Returns the exit status: 0 when every message was answered, else 1."""
    failed = 0
    for line in lines(read_smoke_settings()):
        failed += "error" in line
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return 1 if failed else 0


def lines(settings: SmokeSettings) -> Iterator[dict[str, str]]:
    """Yields the result of each message, in order. Each message uses its own connection."""
    for probe in settings.messages:
        try:
            answer = ask(settings, probe["message"].encode("ascii"))
        except OSError as error:
            yield {"probe": probe["probe"], "error": _said(error)}
        else:
            yield {"probe": probe["probe"], "answer": answer.decode("utf-8", "replace")}


def ask(settings: SmokeSettings, message: bytes) -> bytes:
    """Returns the acknowledgement of a message. Raises `OSError` after 30 s without data."""
    decoder = Decoder(MAX_ANSWER_BYTES)
    with _connected(settings) as connection:
        connection.sendall(wrap(message))
        while data := connection.recv(65536):
            for frame in decoder.feed(data):
                return frame.message
    raise ConnectionResetError("connection closed without an acknowledgement")


@contextmanager
def _connected(settings: SmokeSettings) -> Iterator[socket.socket]:
    with socket.create_connection((settings.host, settings.port), TIMEOUT_SECONDS) as plain:
        if not settings.tls:
            yield plain
            return
        context = client_context(settings.identity)
        with context.wrap_socket(plain, server_hostname=settings.server_name) as secured:
            yield secured


def _said(error: OSError) -> str:
    """An error as a short text, without message content."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    return f"{type(error).__name__}: {error.strerror or error}"


if __name__ == "__main__":
    sys.exit(main())
