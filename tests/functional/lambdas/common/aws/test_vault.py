"""The vault: what is written once stays, what is derived gets versions, what was swapped is noticed."""

import hashlib
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.common.aws import vault
from lambdas.common.contracts.findings import ClinicalFindings, Finding, FindingsOutcome
from lambdas.common.contracts.written import Written
from lambdas.common.errors import DependencyUnavailableError, UnprocessableMessageError
from lambdas.delivery.ledger.context import LedgerContext
from tests.conftest import VAULT

EVENT = "5e" * 16
NAME = "mail/d1.eml"


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
    assert written.sha256 == hashlib.sha256(b"first").hexdigest()
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
    assert written.sha256 == hashlib.sha256(body).hexdigest()


def test_a_message_that_is_not_the_one_received_is_refused(
    context: LedgerContext, aws: Any
) -> None:
    s3 = boto3.client("s3")
    version = s3.put_object(Bucket=VAULT, Key="k", Body=b"MSH|")["VersionId"]
    digest = hashlib.sha256(b"MSH|").hexdigest()
    assert vault.read_message(context, VAULT, "k", version, digest) == b"MSH|"
    with pytest.raises(UnprocessableMessageError, match="sha256"):
        vault.read_message(context, VAULT, "k", version, "0" * 64)


def test_the_version_that_was_named_is_read_whatever_came_later(
    context: LedgerContext, aws: Any
) -> None:
    s3 = boto3.client("s3")
    version = s3.put_object(Bucket=VAULT, Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket=VAULT, Key="k", Body=b"two")
    digest = hashlib.sha256(b"one").hexdigest()
    assert vault.read_message(context, VAULT, "k", version, digest) == b"one"
