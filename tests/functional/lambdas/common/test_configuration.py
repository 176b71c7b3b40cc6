"""Functions read their senders from the version of the document that their deployment wrote."""

import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from environments import load
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.senders import SenderProfile, sender_named
from lambdas.delivery.ledger.context import LedgerContext
from tests.support import configuration
from tests.support.contexts import refreshed


def test_a_sender_has_a_name_and_a_zone_for_the_reader(context: LedgerContext, aws: Any) -> None:
    northgen = sender_named(refreshed(context), "northgen")
    assert northgen.display_name == "Northtown General"
    assert northgen.zone is not None
    assert northgen.zone.key == "America/Halifax"
    assert northgen.default_assigning_authority == "NORTHGEN"
    blog = sender_named(refreshed(context), "aws-blog")
    assert blog == SenderProfile(assigning_authorities=frozenset({"aa"}))
    assert sender_named(context, "unknown") == SenderProfile()


def test_the_document_is_read_once_for_the_life_of_a_sandbox(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    context.client("s3").meta.events.register(
        "before-call.s3.GetObject", lambda **facts: reads.append(facts["event_name"])
    )
    for name in ("northgen", "aws-blog", "unknown"):
        sender_named(refreshed(context), name)
    assert len(reads) == 1


def test_a_sandbox_reads_the_document_of_its_own_deployment(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document that comes later is that of functions with another version in their environment."""
    own = os.environ["ENS_CONFIGURATION_VERSION"]
    configuration.deploy('{"version": 1, "senders": []}', monkeypatch)
    monkeypatch.setenv("ENS_CONFIGURATION_VERSION", own)
    assert sender_named(refreshed(context), "northgen").display_name == "Northtown General"


@pytest.mark.parametrize(
    "document",
    ["", "{", "[]", "{}", '{"version": 1}', '{"version": 1, "senders": [{"time_zone": "UTC"}]}'],
)
def test_a_document_of_another_shape_is_not_used(
    context: LedgerContext, document: str, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.deploy(document, monkeypatch)
    with pytest.raises(DependencyUnavailableError, match="configuration: "):
        sender_named(refreshed(context), "northgen")


def test_a_document_of_a_later_format_is_not_guessed_at(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation names the new document to the old code before it replaces that: messages wait."""
    later = {**json.loads(load("local").configuration()), "version": 2}
    configuration.deploy(json.dumps(later), monkeypatch)
    with pytest.raises(DependencyUnavailableError, match="its version is not 1"):
        sender_named(refreshed(context), "northgen")


def test_a_missing_document_is_not_taken_for_one_without_senders(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_CONFIGURATION_KEY", "elsewhere.json")
    with pytest.raises(ClientError):
        sender_named(refreshed(context), "northgen")


def test_a_zone_that_the_machine_does_not_know_does_not_stop_a_notification(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"name": "x", "time_zone": "Mars/Olympus", "display_name": "X"}
    configuration.deploy(json.dumps({"version": 1, "senders": [entry]}), monkeypatch)
    assert sender_named(refreshed(context), "x") == SenderProfile("X", None)
