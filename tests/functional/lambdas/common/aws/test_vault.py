"""The vault: what is written once stays, what is derived gets versions, what was swapped is noticed."""

import hashlib
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.common.aws import vault
from lambdas.common.contracts.document import Written, to_document
from lambdas.common.contracts.findings import ClinicalFindings, Finding, FindingsOutcome
from lambdas.common.errors import DependencyUnavailableError, UnprocessableMessageError
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.messages import envelope
from tests.support.stores import VAULT

EVENT = "5e" * 16
NAME = "mail/d1.eml"


def is_digest(context: LedgerContext, digest: str, body: bytes) -> bool:
    return context.reference_keys.is_digest(digest, hashlib.sha256(body).hexdigest())


def once(context: LedgerContext, body: bytes) -> tuple[bytes, Written]:
    stored = vault.write_once(context, EVENT, NAME, body, "message/rfc822")
    return stored.body, stored.written


def test_the_first_writer_wins_and_the_second_gets_what_stands_there(
    context: LedgerContext, aws: Any
) -> None:
    first, written = once(context, b"first")
    second, again = once(context, b"second")
    assert (first, second) == (b"first", b"first")
    assert written == again
    assert written.key == f"events/{EVENT}/{NAME}"
    assert is_digest(context, written.digest, b"first")
    versions = boto3.client("s3").list_object_versions(Bucket=VAULT)["Versions"]
    assert [version["VersionId"] for version in versions] == [written.version_id]


def refusing(status: int, code: str) -> Any:
    def put_object(**arguments: Any) -> None:
        raise ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject"
        )

    return put_object


def test_a_write_that_meets_another_one_is_tried_again_by_the_workflow(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        context.client("s3"), "put_object", refusing(409, "ConditionalRequestConflict")
    )
    with pytest.raises(DependencyUnavailableError, match="ConditionalRequestConflict"):
        once(context, b"x")


def test_a_missing_grant_is_not_taken_for_a_document_that_exists(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.client("s3"), "put_object", refusing(403, "AccessDenied"))
    with pytest.raises(ClientError):
        once(context, b"x")


def test_a_derived_document_gets_a_version_each_time_and_each_can_be_read(
    context: LedgerContext, aws: Any
) -> None:
    first = ClinicalFindings(FindingsOutcome.EXTRACTED, conditions=(Finding("Ōkonjo"),))
    second = ClinicalFindings(FindingsOutcome.UNAVAILABLE)
    old = vault.write_document(context, EVENT, ClinicalFindings, first)
    new = vault.write_document(context, EVENT, ClinicalFindings, second)
    assert vault.read_document(context, EVENT, ClinicalFindings, old.version_id) == first
    assert vault.read_document(context, EVENT, ClinicalFindings) == second
    assert old.version_id != new.version_id


def test_the_digest_of_a_document_is_that_of_its_stored_bytes(
    context: LedgerContext, aws: Any
) -> None:
    written = vault.write_document(
        context, EVENT, ClinicalFindings, ClinicalFindings(FindingsOutcome.UNAVAILABLE)
    )
    bucket = context.settings.vault_bucket
    body = context.client("s3").get_object(Bucket=bucket, Key=written.key)["Body"].read()
    assert is_digest(context, written.digest, body)


def test_a_message_that_is_not_the_one_received_is_refused(
    context: LedgerContext, aws: Any
) -> None:
    s3 = boto3.client("s3")
    version = s3.put_object(Bucket=VAULT, Key="k", Body=b"MSH|")["VersionId"]
    sha256 = hashlib.sha256(b"MSH|").hexdigest()
    digest = context.reference_keys.digest(sha256)
    assert (
        vault.read_message(
            context, envelope(EVENT, bucket=VAULT, version_id=version, digest=digest)
        )
        == b"MSH|"
    )
    for other in ("", "k1." + "0" * 32, sha256, "k9." + digest.partition(".")[2], "k1.é"):
        with pytest.raises(UnprocessableMessageError, match="digest"):
            vault.read_message(
                context, envelope(EVENT, bucket=VAULT, version_id=version, digest=other)
            )


def test_a_message_that_an_earlier_version_queued_is_read_by_its_plain_digest(
    context: LedgerContext, aws: Any
) -> None:
    version = boto3.client("s3").put_object(Bucket=VAULT, Key="k", Body=b"MSH|")["VersionId"]
    sha256 = hashlib.sha256(b"MSH|").hexdigest()
    assert (
        vault.read_message(
            context, envelope(EVENT, bucket=VAULT, version_id=version, sha256=sha256)
        )
        == b"MSH|"
    )
    with pytest.raises(UnprocessableMessageError, match="digest"):
        vault.read_message(
            context, envelope(EVENT, bucket=VAULT, version_id=version, sha256="0" * 64)
        )


def test_a_diagnosis_cannot_be_guessed_from_the_digest_of_its_document(
    context: LedgerContext, aws: Any
) -> None:
    # With plain digests this attack took a second: clinical.json is short, and its form is known.
    said = ("Pneumonia", "Opioid dependence", "Type 2 diabetes mellitus")
    guesses = {
        json.dumps(
            to_document(ClinicalFindings(FindingsOutcome.EXTRACTED, conditions=(Finding(text),))),
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        ).encode(): text
        for text in said
    }
    secret = ClinicalFindings(FindingsOutcome.EXTRACTED, conditions=(Finding(said[1]),))
    digest = vault.write_document(context, EVENT, ClinicalFindings, secret).digest
    hits = [body for body in guesses if is_digest(context, digest, body)]
    assert [guesses[body] for body in hits] == [said[1]], "the guesses have the document's form"
    recovered = [
        text
        for body, text in guesses.items()
        for tried in (hashlib.sha256(body).hexdigest(), hashlib.sha256(body).hexdigest()[:32])
        if tried == digest or tried == digest.partition(".")[2]
    ]
    assert recovered == []


def test_the_version_that_was_named_is_read_whatever_came_later(
    context: LedgerContext, aws: Any
) -> None:
    s3 = boto3.client("s3")
    version = s3.put_object(Bucket=VAULT, Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket=VAULT, Key="k", Body=b"two")
    digest = context.reference_keys.digest(hashlib.sha256(b"one").hexdigest())
    assert (
        vault.read_message(
            context, envelope(EVENT, bucket=VAULT, version_id=version, digest=digest)
        )
        == b"one"
    )
