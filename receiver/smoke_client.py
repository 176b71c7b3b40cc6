"""`python -m receiver.smoke_client`: sends the messages of `ens smoke` from inside the VPC.

Runs as a one-off ECS task, connects to the load balancer like a hospital system, and prints one JSON line
for each message: its name, and the acknowledgement or the error. The messages name invented patients, so
the log holds no patient data.

Variables: ENS_SMOKE_HOST, ENS_SMOKE_PORT, ENS_SMOKE_MESSAGES (JSON, LZMA, base64); for TLS
ENS_SMOKE_TLS=on, ENS_SMOKE_SERVER_NAME, and ENS_SMOKE_IDENTITY (JSON with `ca`, and for mutual TLS
`certificate` and `key`, in PEM).
"""

import base64
import json
import lzma
import os
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hl7.mllp import Decoder, wrap
from receiver.transport.tls import client_context

TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 1 << 20


def main() -> int:
    """Returns the exit status: 0 when every message was answered, else 1."""
    failed = 0
    for line in lines(os.environ):
        failed += "error" in line
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return 1 if failed else 0


def lines(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yields the result of each message, in order. Each message uses its own connection."""
    packed = base64.b64decode(environment["ENS_SMOKE_MESSAGES"])
    for probe in json.loads(lzma.decompress(packed)):
        try:
            answer = ask(environment, probe["message"].encode("ascii"))
        except OSError as error:
            yield {"probe": probe["probe"], "error": _said(error)}
        else:
            yield {"probe": probe["probe"], "answer": answer.decode("utf-8", "replace")}


def ask(environment: Mapping[str, str], message: bytes) -> bytes:
    """Returns the acknowledgement of a message. Raises `OSError` after 30 s without data."""
    decoder = Decoder(MAX_ANSWER_BYTES)
    with _connected(environment) as connection:
        connection.sendall(wrap(message))
        while data := connection.recv(65536):
            for frame in decoder.feed(data):
                return frame.message
    raise ConnectionResetError("connection closed without an acknowledgement")


@contextmanager
def _connected(environment: Mapping[str, str]) -> Iterator[socket.socket]:
    host = environment["ENS_SMOKE_HOST"]
    address = host, int(environment["ENS_SMOKE_PORT"])
    with socket.create_connection(address, TIMEOUT_SECONDS) as plain:
        if environment.get("ENS_SMOKE_TLS") != "on":
            yield plain
            return
        identity = json.loads(environment.get("ENS_SMOKE_IDENTITY") or "{}")
        name = environment.get("ENS_SMOKE_SERVER_NAME") or host
        with client_context(identity).wrap_socket(plain, server_hostname=name) as secured:
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
