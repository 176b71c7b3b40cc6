"""ParseMessage when a call to AWS fails, before it took effect or after, and the step runs again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.common import status
from lambdas.common.audit import chain, verification
from lambdas.common.errors import DependencyUnavailableError
from lambdas.parse_message.context import ParseContext
from lambdas.parse_message.handler import lambda_handler
from tests.support.messages import sample, vaulted
from tests.support.vault import read_json

STEP_CALLS = 30
"""More calls than the step makes; the test finds out how many there are."""


@contextmanager
def failing(call: int, after: bool) -> Iterator[list[str]]:
    """Fails the given call to AWS, once: refused (before), or done with its answer lost (after)."""
    made: list[str] = []
    real = BaseClient._make_api_call

    def make_api_call(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        made.append(operation)
        if len(made) != call:
            return real(self, operation, arguments)
        if after:
            real(self, operation, arguments)
            raise ReadTimeoutError(endpoint_url="https://aws.example")
        answer = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {}}
        raise ClientError(answer, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", make_api_call)
        yield made


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_failure_of_any_call_is_mended_by_running_again(
    context: ParseContext, aws: Any, after: bool
) -> None:
    failed: list[str] = []
    for call in range(1, STEP_CALLS):
        # A pair with one MSH-10, so that every call of the step is made.
        raw = sample("admission").replace(b"NG-20261123-000731", f"PAIR-{call}".encode())
        run(context, vaulted(raw, event_id=f"first-{call}"))
        envelope = vaulted(raw + b"NTE|2||later\r", event_id=f"second-{call}")
        with failing(call, after) as made:
            try:
                run(context, envelope)
            except DependencyUnavailableError:
                failed.append(made[call - 1])
        if len(made) < call:
            break
        holds_after_another_run(context, envelope)
    else:
        pytest.fail("the step makes more calls than this test looks at")
    assert {"UpdateItem", "GetObject", "PutObject", "Query"} <= set(failed)
    # The audit is written in one transaction, three times.
    assert failed.count("TransactWriteItems") == 3


def holds_after_another_run(context: ParseContext, envelope: dict[str, Any]) -> None:
    result = run(context, envelope)
    event_id = envelope["event_id"]
    actions = [entry["action"] for entry in chain.entries(context, event_id)]
    assert actions.count("RECEIVED") == 1
    assert actions.count("CONTROL_ID_REUSED") == 1
    assert actions[-1] == "PARSED"
    assert verification.verify(context, event_id).holds
    document = read_json(context, event_id, "event.json", result["version_id"])
    assert document["trigger_event"] == "A01"
    item = status.read(context, event_id)
    assert item is not None
    assert item.status == "OPEN"


def run(context: ParseContext, envelope: dict[str, Any]) -> dict[str, Any]:
    task = {"envelope": envelope, "execution_arn": "arn:run", "attempt": 0}
    result: dict[str, Any] = lambda_handler.with_context(context)(task, None)
    return result
