"""Writes JSON lines to standard output. They hold ids, codes, counts and positions, no message content."""

import contextlib
import json
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
OWN = (ROOT / "receiver", ROOT / "hl7")


class Log:
    """Writes one JSON object per line."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream

    def info(self, message: str, **facts: Any) -> None:
        """Writes a line. `message` is a constant text, `facts` are ids, codes and counts."""
        self._write("INFO", message, facts)

    def warning(self, message: str, **facts: Any) -> None:
        """Writes a line that an operator may have to act on."""
        self._write("WARNING", message, facts)

    def error(self, message: str, **facts: Any) -> None:
        """Writes a fault of the receiver or of AWS."""
        self._write("ERROR", message, facts)

    def line(self, document: dict[str, Any]) -> None:
        """Writes a JSON document as one line, for example a metric.

        A line that cannot be written (full disk, closed pipe) is dropped: senders still get their answers.
        """
        with contextlib.suppress(OSError):
            self._stream.write(json.dumps(document, separators=(",", ":")) + "\n")
            self._stream.flush()

    def _write(self, level: str, message: str, facts: dict[str, Any]) -> None:
        about = {"level": level, "timestamp": timestamp(), "service": "Receiver"}
        self.line({**about, "message": message, **facts})


def timestamp() -> str:
    """Returns the current time in UTC, as in `2026-11-23T09:15:02.113Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def where(error: BaseException) -> str:
    """Returns an exception's class and position, as in `ValueError at receiver/intake/intake.py:87`.

    It leaves out the exception's text, which may hold values of a message. botocore's `ClientError`
    adds AWS's error code.
    """
    code = f" {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if any(Path(f.filename).is_relative_to(folder) for folder in OWN)]
    if not frames:
        return f"{type(error).__name__}{code}"
    last = (own or frames)[-1]
    path = Path(last.filename)
    place = path.relative_to(ROOT).as_posix() if own else path.name
    return f"{type(error).__name__}{code} at {place}:{last.lineno}"
