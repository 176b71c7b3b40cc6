"""The step with moto's vault and audit, and the stand-in behind boto3's Comprehend Medical client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas.common.clock import now
from lambdas.common.contracts.document import to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.notes import Note
from lambdas.extract_entities.context import ExtractContext, ExtractSettings
from lambdas.extract_entities.handler import lambda_handler
from tests.support.comprehend_medical import serving
from tests.support.contexts import refreshed
from tests.support.vault import write_json

EVENT_ID = "f" * 32

RunStep = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def stand_in_url() -> Iterator[str]:
    """The URL of one stand-in for all tests of this folder."""
    with serving() as url:
        yield url


@pytest.fixture
def context(stand_in_url: str, monkeypatch: pytest.MonkeyPatch, aws: Any) -> ExtractContext:
    """The context of ExtractEntities with moto's clients and the stand-in."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", stand_in_url)
    return ExtractContext(ExtractSettings.from_environment())


@pytest.fixture
def run_step(context: ExtractContext) -> RunStep:
    """Runs the handler in a fresh sandbox on an event with these notes, as the workflow would."""

    def run(
        *notes: str | Note,
        recipients: Any = ({},),
        turn: int = 0,
        started_at: str = "",
        **facts: Any,
    ) -> dict[str, Any]:
        event = PatientEvent(
            event_id=EVENT_ID,
            trigger_event="A01",
            event_kind=EventKind.ADMISSION,
            notifiable=True,
            hl7_version="2.5.1",
            notes=tuple(
                Note(f"OBX[{number}]-5", note) if isinstance(note, str) else note
                for number, note in enumerate(notes, 1)
            ),
            **facts,
        )
        written = write_json(context, EVENT_ID, "event.json", to_document(event))
        return lambda_handler.with_context(refreshed(context))(
            {
                "envelope": {"event_id": EVENT_ID, "sender": "northgen"},
                "parsed": {"version_id": written.version_id},
                "recipients": [{"recipient_ref": "k1.a", **one} for one in recipients],
                "turn": turn,
                "started_at": started_at or now(),
                "execution_arn": "arn:aws:states:us-east-1:123456789012:express:x:y:z",
                "attempt": 0,
            },
            None,
        )

    return run
