"""The console's JSON API and what guards it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.common.contracts.audit import LookedAt
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.context import LedgerContext
from local.console.app import create_app
from local.console.looks import ConsoleLooks
from ops.audit.looks import chain_of
from tests.support.console import (
    ADMITTED,
    FAILED,
    HOSTILE,
    MAIL_ID,
    FakeLooks,
    FakeMailbox,
    FakeStays,
    FakeTrails,
)
from tests.support.deployment import ME, deployed

PAGES = (
    *("/", f"/events/{ADMITTED}", f"/events/{FAILED}", "/mail", f"/mail/{MAIL_ID}", "/dlq"),
    f"/stays/{ADMITTED}",
)
API = ("/api/health", "/api/events", f"/api/events/{ADMITTED}", "/api/mail", "/api/dlq")


@pytest.fixture
def trails() -> FakeTrails:
    return FakeTrails()


@pytest.fixture
def looks() -> FakeLooks:
    return FakeLooks()


@pytest.fixture
def client(trails: FakeTrails, looks: FakeLooks) -> FlaskClient:
    return create_app(trails, FakeMailbox(), FakeStays(), looks).test_client()


def test_health_answers_200(client: FlaskClient) -> None:
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_events_are_a_list_of_the_length_asked_for(client: FlaskClient, trails: FakeTrails) -> None:
    events = client.get("/api/events?limit=2").get_json()
    assert [event["status"] for event in events] == ["OPEN", "FAILED"]
    assert {"event_id", "status", "received_at", "event_kind", "error_name"} <= events[0].keys()
    assert trails.asked == [2]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "501", "9" * 5000, "²"])
def test_a_limit_out_of_reason_is_refused(client: FlaskClient, limit: str) -> None:
    answer = client.get(f"/api/events?limit={limit}")
    assert (answer.status_code, answer.json) == (400, {"error": "limit is a number from 1 to 500"})


def test_an_event_has_status_error_steps_and_entries(client: FlaskClient) -> None:
    event = client.get(f"/api/events/{FAILED}").get_json()
    assert (event["status"], event["error_name"]) == ("FAILED", "UnprocessableMessageError")
    assert {"name", "outcome", "started_at", "duration_ms", "attempts"} <= event["steps"][0].keys()
    assert event["entries"][0]["action"] == "RECEIVED"


def test_only_a_message_that_could_not_be_parsed_is_called_not_read(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, trails: FakeTrails
) -> None:
    assert "Message not read" in client.get(f"/events/{FAILED}").text
    found = trails.event(FAILED)
    assert found is not None
    later = replace(found, failed_step="TrackEncounter", error_name="IdentityConflictError")
    monkeypatch.setattr(trails, "event", lambda _: later)
    assert "Message not read" not in client.get(f"/events/{FAILED}").text


def test_a_step_that_lacks_some_answers_names_them(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, trails: FakeTrails
) -> None:
    found = trails.event(ADMITTED)
    assert found is not None
    partly = replace(found.steps[-1], error_name="", error="InferICD10CM time")
    monkeypatch.setattr(trails, "event", lambda _: replace(found, steps=[partly]))
    assert "InferICD10CM time" in client.get(f"/events/{ADMITTED}").text


def test_an_event_leads_to_its_stay_with_every_decision(client: FlaskClient) -> None:
    assert f'href="/stays/{ADMITTED}"' in client.get(f"/events/{ADMITTED}").text
    page = client.get(f"/stays/{ADMITTED}").text
    assert "Admission" in page
    assert "duplicate" in page
    stay = client.get(f"/api/stays/{ADMITTED}").get_json()
    assert [event["reason"] for event in stay["events"]] == ["", "duplicate"]


def test_mail_is_listed_and_read_in_full(client: FlaskClient) -> None:
    (listed,) = client.get("/api/mail").get_json()
    assert listed.keys() == {"to", "subject", "event_id", "sent_at", "mail_id"}
    mail = client.get(f"/api/mail/{listed['mail_id']}").get_json()
    assert {"headers", "text", "html", "raw"} <= mail.keys()


LOOKS = [
    (f"/mail/{MAIL_ID}", LookedAt.MAIL, MAIL_ID),
    (f"/api/mail/{MAIL_ID}", LookedAt.MAIL, MAIL_ID),
    (f"/stays/{ADMITTED}", LookedAt.STAY, ADMITTED),
    (f"/api/stays/{ADMITTED}", LookedAt.STAY, ADMITTED),
]


@pytest.mark.parametrize(("path", "looked_at", "looked_at_id"), LOOKS)
def test_a_mail_and_a_stay_are_shown_after_an_audit_entry(
    path: str, looked_at: LookedAt, looked_at_id: str, client: FlaskClient, looks: FakeLooks
) -> None:
    assert client.get(path).status_code == 200
    assert looks.recorded == [(looked_at, looked_at_id)]


@pytest.mark.parametrize("path", [path for path, _, _ in LOOKS])
def test_without_an_audit_entry_neither_mail_nor_stay_is_shown(
    path: str, client: FlaskClient, looks: FakeLooks
) -> None:
    looks.failure = DependencyUnavailableError("dynamodb: unreachable")
    answer = client.get(path)
    assert answer.status_code == 503
    assert "Lena" not in answer.text
    assert "duplicate" not in answer.text


def test_lists_and_events_leave_no_entry(client: FlaskClient, looks: FakeLooks) -> None:
    for path in ("/", "/mail", "/dlq", f"/events/{ADMITTED}", "/api/mail", "/api/dlq"):
        assert client.get(path).status_code == 200
    assert looks.recorded == []


def test_a_page_that_refreshes_itself_leaves_one_entry_for_a_thing(
    context: LedgerContext, aws: Any
) -> None:
    deployment = deployed(aws)
    console = ConsoleLooks(deployment)
    for _ in range(3):
        console.record(LookedAt.STAY, ADMITTED)
    (entry,) = chain.entries(deployment.context, chain_of(now()[:10]))
    assert (entry["actor"], entry["looked_at"]) == (f"operator:{ME}", "stay")


def test_dead_letters_name_event_error_step_and_time_and_the_queues_count(
    client: FlaskClient,
) -> None:
    dlq = client.get("/api/dlq").get_json()
    assert dlq["queue_count"] == 1
    assert {"event_id", "error_name", "step", "time"} <= dlq["events"][0].keys()


@pytest.mark.parametrize(
    "path", ["/api/events/none", "/api/stays/none", "/api/mail/none", "/api/none"]
)
def test_what_is_not_there_is_a_404_in_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.is_json) == (404, True)


@pytest.mark.parametrize("path", API)
def test_nothing_can_be_changed_through_the_api(client: FlaskClient, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_and_no_sender_can_write_into_it(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert page.text.count("<h1>") == 1
    assert 'href="#content"' in page.text


@pytest.mark.parametrize("path", [*PAGES, *API, "/static/console.css", "/nowhere"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:8080"])
def test_a_name_that_merely_resolves_to_this_machine_is_refused(
    client: FlaskClient, path: str, host: str
) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "Lena" not in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost:9000", "[::1]:8080", "[::1]"]
)
def test_loopback_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, *API, "/nowhere"])
def test_every_answer_forbids_foreign_content_framing_and_storing(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-inline'" in policy) == (path == f"/mail/{MAIL_ID}")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_names_another_host(client: FlaskClient) -> None:
    static = Path(__file__).parents[4] / "local" / "console" / "static"
    for text in [*(client.get(path).text for path in PAGES), (static / "console.css").read_text()]:
        for scheme in ("http://", "https://", 'src="//', 'href="//'):
            # What a mail's HTML names stays inside the sandboxed frame.
            assert scheme not in text.split("srcdoc=")[0]


def test_a_system_that_does_not_answer_is_a_sentence(
    client: FlaskClient, trails: FakeTrails, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise DependencyUnavailableError("dynamodb: EndpointConnectionError")

    monkeypatch.setattr(trails, "recent", down)
    assert client.get("/").status_code == 503
    answer = client.get("/api/events")
    assert (answer.status_code, "dynamodb" in json.loads(answer.text)["error"]) == (503, True)
