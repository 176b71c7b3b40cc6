"""Analyses kept in the vault, so that the same note is not paid for twice.

The key is a keyed hash of the normalised text and of what was asked: without the reference key nobody
can try whether a note was seen. An analysis lives `ENS_CACHE_DAYS`, and no longer than the vault keeps.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.keys import reference_keys
from lambdas.common.settings import settings
from lambdas.extract_entities.comprehend import Answer

FOLDER = "analyses"


def key_of(text: str, mode: str) -> str:
    """The object key of the text's analysis in this cost mode.

    Offsets belong to the text as it stands, so only what moves none is normalised: nothing but the
    kind of blanks.
    """
    normal = "".join(
        " " if character.isspace() and character != "\n" else character for character in text
    )
    return f"{FOLDER}/{reference_keys().reference('analysis', mode, normal)}.json"


def kept(key: str, days: float) -> dict[str, Answer] | None:
    """The answers kept under the key, None where there are none, they are too old, or cannot be read."""
    if not days:
        return None
    try:
        with dependency("s3"):
            answer = client("s3").get_object(Bucket=settings().vault_bucket, Key=key)
            document = json.loads(answer["Body"].read())
    except (ClientError, DependencyUnavailableError):
        # Without the right to list, S3 answers AccessDenied where nothing stands: a miss all the same.
        return None
    if datetime.now(UTC) - datetime.fromisoformat(document["kept_at"]) > timedelta(days=days):
        return None
    return {
        operation: Answer(found["entities"], found["model_version"], 0, 0)
        for operation, found in document["answers"].items()
    }


def keep(key: str, answers: dict[str, Answer], days: float) -> None:
    """Keeps whole answers; a vault that cannot be written costs money next time, and nothing now."""
    if not days or any(answer.missing for answer in answers.values()):
        return
    document = {
        "kept_at": datetime.now(UTC).isoformat(),
        "answers": {operation: asdict(answer) for operation, answer in answers.items()},
    }
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with dependency("s3"):
            client("s3").put_object(
                Bucket=settings().vault_bucket, Key=key, Body=body, ContentType="application/json"
            )
    except (ClientError, DependencyUnavailableError):
        return
