"""The place of an exception, for logs and audit: its text may hold a patient's name."""

import traceback
from pathlib import Path

from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[3]


def where(error: BaseException) -> str:
    """An exception as `ValueError at lambdas/parse_message/segments/visit.py:87`, without its text.

    An error of a service adds AWS's error code: `ClientError AccessDenied at …`.
    """
    code = f" {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(ROOT / "lambdas")] or frames
    if not ours:
        return f"{type(error).__name__}{code}"
    file = Path(ours[-1].filename)
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
    return f"{type(error).__name__}{code} at {place}:{ours[-1].lineno}"
