"""Caches answers of Comprehend Medical in the vault, so the same note is paid for once.

The object key is a keyed hash of the normalised text and the operation: without the reference key
nobody can test whether a note was analysed. An answer is valid for `ENS_CACHE_DAYS`, within the vault's
retention (docs/adr/0052-cache-of-analyses.md).
"""

import json
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.keys import reference_keys
from lambdas.common.settings import settings
from lambdas.extract_entities.comprehend import ComprehendAnswer

FOLDER = "analyses"


def key_of(text: str, operation: str) -> str:
    """The object key of an operation's answer to the text.

    Only kinds of blanks are normalised, one for one, so the offsets of the answer stay valid.
    """
    normal = "".join(
        " " if character.isspace() and character != "\n" else character for character in text
    )
    return f"{FOLDER}/{reference_keys().reference('analysis', operation, normal)}.json"


def kept(text: str, operation: str, days: float) -> ComprehendAnswer | None:
    """The cached answer; None when there is none, it is too old, or it cannot be read."""
    if not days:
        return None
    try:
        with dependency("s3"):
            found = client("s3").get_object(
                Bucket=settings().vault_bucket, Key=key_of(text, operation)
            )
            document = json.loads(found["Body"].read())
    except (ClientError, DependencyUnavailableError):
        # Without s3:ListBucket, S3 answers AccessDenied for a missing object: a cache miss.
        return None
    if datetime.now(UTC) - datetime.fromisoformat(document["kept_at"]) > timedelta(days=days):
        return None
    return ComprehendAnswer(document["entities"], document["model_version"], 0, 0)


def keep(text: str, operation: str, answer: ComprehendAnswer, days: float) -> None:
    """Stores a complete answer. A failed write is ignored: the next event pays for the analysis again."""
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
