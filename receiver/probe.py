"""`python -m receiver.probe`: exits 0 when `/live` answers 200. The health check of ECS and Docker."""

import os
import sys
from http.client import HTTPConnection, HTTPException

_TIMEOUT_SECONDS = 3


def is_live(port: int) -> bool:
    """Whether `/live` on this host answers 200 within 3 s."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/live")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_live(int(os.environ.get("ENS_HEALTH_PORT") or 17001)) else 1)
