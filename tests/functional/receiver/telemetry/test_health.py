"""`/live` says that it serves, `/ready` that it can store; the one does not hang on the other."""

import json
from http.client import HTTPConnection
from typing import Any

import pytest

from receiver.probe import is_live
from receiver.telemetry import health
from tests.functional.receiver.world import ReceiverWorld, adt, error_of


def get(world: ReceiverWorld, path: str, method: str = "GET") -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", world.health_port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else None
    finally:
        connection.close()


def test_a_receiver_that_serves_and_can_store_is_live_and_ready(world: ReceiverWorld) -> None:
    assert get(world, "/live") == (200, {"live": True})
    assert get(world, "/ready") == (200, {"ready": True, "problem": ""})
    assert is_live(world.health_port)


@pytest.mark.parametrize("operation", ["HeadBucket", "GetQueueAttributes"])
def test_a_store_that_does_not_answer_makes_it_unready_and_leaves_it_live(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(health, "_PROBE_SECONDS", 0.0)
    world.faults.fail(operation)
    status, answer = get(world, "/ready")
    assert (status, answer["ready"]) == (503, False)
    assert operation in answer["problem"]
    assert get(world, "/live")[0] == 200
    world.faults.mend()
    assert get(world, "/ready")[0] == 200


def test_a_message_that_could_not_be_stored_makes_it_unready_until_one_is(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        world.faults.fail("PutObject", error_of("PutObject", "AccessDenied", 403))
        assert sender.ask(adt()) == "AR NG-1"
        assert get(world, "/ready")[0] == 503
        world.faults.mend()
        assert sender.ask(adt()) == "AA NG-1"
        assert get(world, "/ready")[0] == 200


def test_the_probe_is_not_repeated_for_every_request(world: ReceiverWorld) -> None:
    probes = []
    world.faults.before["HeadBucket"] = lambda: probes.append(1)
    for _ in range(5):
        get(world, "/ready")
    assert len(probes) == 1


def test_anything_else_is_not_found_or_not_allowed(world: ReceiverWorld) -> None:
    assert get(world, "/")[0] == 404
    assert get(world, "/live", "POST")[0] == 405
    assert get(world, "/live?x=1", "HEAD") == (200, None)


def test_nothing_answers_the_probe_where_no_receiver_is() -> None:
    assert not is_live(1)
