"""Caches answers of Comprehend Medical in the vault, so the same note is paid for once.

The object key is a keyed hash of the normalised text and the operation: without the reference key
nobody can test whether a note was analysed. An answer is valid for `ENS_CACHE_DAYS`, within the vault's
retention (docs/adr/0052-cache-of-analyses.md).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.comprehend_medical.comprehend import ComprehendAnswer
from lambdas.extract_entities.comprehend_medical.operations import Operation
from lambdas.extract_entities.context import ExtractContext

FOLDER = "analyses"


def references_of(context: ExtractContext, text: str, operation: Operation) -> tuple[str, ...]:
    """The references of an operation's answer to the text: under the current key, then under older ones.

    Only kinds of blanks are normalised, one for one, so the offsets of the answer stay valid.
    """
    normal = "".join(
        " " if character.isspace() and character != "\n" else character for character in text
    )
    return context.reference_keys.references("analysis", operation, normal)


def cached_answer(
    context: ExtractContext, text: str, operation: Operation, days: float
) -> ComprehendAnswer | None:
    """The cached answer; None when there is none, it is too old, or it cannot be read."""
    if not days:
        return None
    found = (_read(context, one) for one in references_of(context, text, operation))
    document = next(filter(None, found), None)
    if document is None:
        return None
    if datetime.now(UTC) - datetime.fromisoformat(document["kept_at"]) > timedelta(days=days):
        return None
    return ComprehendAnswer(document["entities"], document["model_version"], 0, 0)


def _read(context: ExtractContext, reference: str) -> dict[str, Any] | None:
    try:
        with dependency("s3"):
            found = context.client("s3").get_object(
                Bucket=context.settings.vault_bucket, Key=f"{FOLDER}/{reference}.json"
            )
            document: dict[str, Any] = json.loads(found["Body"].read())
    except (ClientError, DependencyUnavailableError):
        # Without s3:ListBucket, S3 answers AccessDenied for a missing object: a cache miss.
        return None
    return document


def store_answer(
    context: ExtractContext, text: str, operation: Operation, answer: ComprehendAnswer, days: float
) -> None:
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
            context.client("s3").put_object(
                Bucket=context.settings.vault_bucket,
                Key=f"{FOLDER}/{references_of(context, text, operation)[0]}.json",
                Body=body,
                ContentType="application/json",
            )
    except (ClientError, DependencyUnavailableError):
        return
