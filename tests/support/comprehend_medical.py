"""The Comprehend Medical stand-in on a loopback port, for the duration of a test."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from simulators.comprehend_medical.server import HOST, server


@contextmanager
def serving() -> Iterator[str]:
    """Serves the stand-in and yields its URL."""
    running = server()
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def order_fault(url: str, error: str, times: int = 1) -> None:
    """Makes the next `times` requests to the stand-in fail with an error of the service."""
    body = json.dumps({"error": error, "times": times}).encode()
    request = urllib.request.Request(f"{url}/faults", data=body, method="PUT")
    urllib.request.urlopen(request, timeout=30).close()
