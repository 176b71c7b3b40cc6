"""Analyses kept in the vault, so that the same note is not paid for twice.

The key is a keyed hash of the normalised text and of what was asked: without the reference key nobody
can try whether a note was seen. An analysis lives `ENS_CACHE_DAYS`, and no longer than the vault keeps.
"""

import json
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.keys import reference_keys
from lambdas.common.settings import settings
from lambdas.extract_entities.comprehend import Answer

FOLDER = "analyses"


def key_of(text: str, operation: str) -> str:
    """The object key of what an operation answered to the text.

    Offsets belong to the text as it stands, so only what moves none is normalised: nothing but the
    kind of blanks.
    """
    normal = "".join(
        " " if character.isspace() and character != "\n" else character for character in text
    )
    return f"{FOLDER}/{reference_keys().reference('analysis', operation, normal)}.json"


def kept(text: str, operation: str, days: float) -> Answer | None:
    """The answer that is kept, None where there is none, it is too old, or cannot be read."""
    if not days:
        return None
    try:
        with dependency("s3"):
            found = client("s3").get_object(
                Bucket=settings().vault_bucket, Key=key_of(text, operation)
            )
            document = json.loads(found["Body"].read())
    except (ClientError, DependencyUnavailableError):
        # Without the right to list, S3 answers AccessDenied where nothing stands: a miss all the same.
        return None
    if datetime.now(UTC) - datetime.fromisoformat(document["kept_at"]) > timedelta(days=days):
        return None
    return Answer(document["entities"], document["model_version"], 0, 0)


def keep(text: str, operation: str, answer: Answer, days: float) -> None:
    """Keeps a whole answer; a vault that cannot be written costs money next time, and nothing now."""
    if not days or answer.missing:
        return
    document = {
        "kept_at": datetime.now(UTC).isoformat(),
        "entities": answer.entities,
        "model_version": answer.model_version,
    }
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        with dependency("s3"):
            client("s3").put_object(
                Bucket=settings().vault_bucket,
                Key=key_of(text, operation),
                Body=body,
                ContentType="application/json",
            )
    except (ClientError, DependencyUnavailableError):
        return
