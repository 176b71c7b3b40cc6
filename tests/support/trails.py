"""Audit entries and statuses as the steps and the workflow write them, for tests of what reads them."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hl7.warnings import MessageWarning
from lambdas.common import status
from lambdas.common.audit import chain
from lambdas.common.aws.items import to_item
from lambdas.common.clock import iso
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.audit import entry
from tests.support.messages import envelope

PROVIDER = "k1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
SECOND_PROVIDER = "k1.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"


class Story:
    """An event's history, written entry by entry; its clock moves on with each."""

    def __init__(
        self,
        context: LedgerContext,
        event_id: str,
        began: datetime | None = None,
        sender: str = "northgen",
    ) -> None:
        self.context = context
        self.event_id = event_id
        self.sender = sender
        self.clock = began or datetime.now(UTC) - timedelta(minutes=2)
        self.received_at = iso(self.clock)
        self.runs = 0
        self.execution_arn = ""

    def run(self, after_ms: int = 120) -> "Story":
        """A workflow begins on the event, some time after what went before."""
        self.clock += timedelta(milliseconds=after_ms)
        self.runs += 1
        self.execution_arn = f"arn:aws:states:us-east-1:123456789012:express:hl7-ens-dev-patient-event:run-{self.runs}:x"
        received = {"received_at": self.received_at, "sender": self.sender}
        again = envelope(self.event_id, replay="again", **received)
        status.open_event(self.context, again, self.execution_arn)
        return self

    def step(
        self, name: str, action: str, outcome: str = "ok", took_ms: int = 40, **facts: Any
    ) -> "Story":
        """A step audits something."""
        started = iso(self.clock)
        self.clock += timedelta(milliseconds=took_ms)
        chain.append(
            self.context,
            self.event_id,
            entry(
                name,
                action,
                outcome,
                started_at=started,
                duration_ms=took_ms,
                time=iso(self.clock),
                execution_arn=self.execution_arn,
                sender=self.sender,
                **({"attempt": 0} | facts),
            ),
        )
        return self

    def received(self, control_id: str = "MSG00001") -> "Story":
        """ParseMessage audits the receipt."""
        return self.step(
            "ParseMessage",
            "RECEIVED",
            took_ms=8,
            message_control_id=control_id,
            received_at=self.received_at,
            receiver="task-1",
            connection="connection-1",
            counts={"bytes": 5},
            documents=[
                {
                    "key": f"events/{self.event_id}/message.hl7",
                    "version_id": "v1",
                    "digest": "k1." + "ab" * 16,
                }
            ],
        )

    def parsed(self, event_kind: str = "admission", *warnings: MessageWarning) -> "Story":
        """ParseMessage audits what it read."""
        facts: dict[str, Any] = {"event_kind": event_kind, "trigger_event": "A01"}
        if warnings:
            facts["warnings"] = [asdict(one) for one in warnings]
        return self.step("ParseMessage", "PARSED", **facts)

    def resolved(self, *references: str) -> "Story":
        """LookupIdentities audits who is to be told."""
        told = [{"recipient_ref": r, "reasons": ["primary_care"]} for r in references]
        return self.step("LookupIdentities", "RESOLVED", recipients=told)

    def completed(self) -> "Story":
        """The workflow ends well."""
        return self._ended("CompleteEvent", "COMPLETED", "completed")

    def failed(self, error_name: str, step: str) -> "Story":
        """The workflow gives the event up."""
        return self._ended(
            "RecordFailure", "FAILED", "failed", error_name=error_name, failed_step=step
        )

    def _ended(self, state: str, word: str, outcome: str, **facts: str) -> "Story":
        moment = iso(self.clock)
        written = {
            "event_id": self.event_id,
            "sk": f"workflow#run-{self.runs}#{state}",
            "time": moment,
            "day": moment[:10],
            "outcome_time": f"{outcome}#{moment}",
            "step": state,
            "actor": "workflow",
            "action": word,
            "outcome": outcome,
            "started_at": moment,
            "execution_arn": self.execution_arn,
            "sender": self.sender,
            **facts,
        }
        item = {
            "event_id": self.event_id,
            "status": word,
            "day": self.received_at[:10],
            "received_at": self.received_at,
            "updated_at": moment,
            "execution_arn": self.execution_arn,
            "sender": self.sender,
            **facts,
        }
        dynamodb = self.context.client("dynamodb")
        dynamodb.put_item(TableName=self.context.settings.audit_table, Item=to_item(written))
        dynamodb.put_item(TableName=self.context.settings.status_table, Item=to_item(item))
        return self


def told(context: LedgerContext, event_id: str, control_id: str = "MSG00001") -> Story:
    """An admission that one provider was told of."""
    return (
        Story(context, event_id)
        .run()
        .received(control_id)
        .parsed()
        .resolved(PROVIDER)
        .step("ExtractEntities", "EXTRACTED", took_ms=210, counts={"conditions": 2})
        .step("DeliverNotification", "SENT", took_ms=95, recipient_ref=PROVIDER, channel="email")
        .completed()
    )


def poison(context: LedgerContext, event_id: str, control_id: str = "MSG00002") -> Story:
    """A message that lacks its PID."""
    return (
        Story(context, event_id)
        .run()
        .received(control_id)
        .step(
            "ParseMessage",
            "FAILED",
            "failed",
            error_name="UnprocessableMessageError",
            error="PID is missing",
        )
        .failed("UnprocessableMessageError", "ParseMessage")
    )
