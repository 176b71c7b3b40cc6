"""Caches answers of Comprehend Medical in the vault, so the same note is paid for once.

One object holds the answers to a text. Its key is a keyed hash of the normalised text: without the
reference key nobody can test whether a note was analysed. Answers are valid for `ENS_CACHE_DAYS`, within
the vault's retention (docs/adr/0052-cache-of-analyses.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.comprehend_medical.comprehend import ComprehendAnswer
from lambdas.extract_entities.comprehend_medical.operations import Operation
from lambdas.extract_entities.context import ExtractContext

FOLDER = "analyses"


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """The complete answers to a text, by operation, and the time of the oldest."""

    kept_at: datetime
    answers: Mapping[Operation, ComprehendAnswer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _StoredAnswer:
    entities: list[dict[str, Any]] = field(repr=False)
    model_version: str


@dataclass(frozen=True, slots=True)
class _StoredAnswers:
    kept_at: Annotated[datetime, msgspec.Meta(tz=True)]
    answers: dict[Operation, _StoredAnswer]


def references_of(context: ExtractContext, text: str) -> tuple[str, ...]:
    """The references of the answers to the text: under the current key, then under older ones.

    Only kinds of blanks are normalised, one for one, so the offsets of the answers stay valid.
    """
    normal = "".join(
        " " if character.isspace() and character != "\n" else character for character in text
    )
    return context.reference_keys.references("analyses", normal)


def cached(context: ExtractContext, text: str) -> CachedAnswers:
    """The cached answers to the text: none when they are too old or cannot be read."""
    now = datetime.now(UTC)
    oldest = now - timedelta(days=context.settings.cache_days)
    if context.settings.cache_days:
        for reference in references_of(context, text):
            found = _read(context, reference)
            if found is not None:
                return found if found.kept_at >= oldest else CachedAnswers(now)
    return CachedAnswers(now)


def _read(context: ExtractContext, reference: str) -> CachedAnswers | None:
    try:
        with dependency("s3"):
            found = context.client("s3").get_object(
                Bucket=context.settings.vault_bucket, Key=f"{FOLDER}/{reference}.json"
            )
            stored = msgspec.json.decode(found["Body"].read(), type=_StoredAnswers)
    except (ClientError, DependencyUnavailableError, msgspec.DecodeError):
        # A missing object (AccessDenied without s3:ListBucket), or one of another form.
        return None
    return CachedAnswers(
        stored.kept_at,
        {
            operation: ComprehendAnswer(answer.entities, answer.model_version, 0, 0)
            for operation, answer in stored.answers.items()
        },
    )


def store(
    context: ExtractContext,
    text: str,
    known: CachedAnswers,
    asked: Mapping[Operation, ComprehendAnswer],
) -> None:
    """Stores the complete ones of the new answers beside the known ones.

    A failed write is ignored: the next event pays for the analysis again.
    """
    complete = {operation: answer for operation, answer in asked.items() if not answer.missing}
    if not context.settings.cache_days or not complete:
        return
    answers = {
        operation: _StoredAnswer(answer.entities, answer.model_version)
        for operation, answer in {**known.answers, **complete}.items()
    }
    try:
        with dependency("s3"):
            context.client("s3").put_object(
                Bucket=context.settings.vault_bucket,
                Key=f"{FOLDER}/{references_of(context, text)[0]}.json",
                Body=msgspec.json.encode(_StoredAnswers(known.kept_at, answers)),
                ContentType="application/json",
            )
    except (ClientError, DependencyUnavailableError):
        return
