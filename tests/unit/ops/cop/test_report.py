"""The report's figures and its forms."""

import re
import statistics

import pytest

from lambdas.common.contracts.recipients.recipient import RefusalReason
from lambdas.common.contracts.workflow.delivery_states import HoldReason
from ops.cop.events import EventOutcome, EventRecord
from ops.cop.helvetica import lines, width
from ops.cop.markdown import markdown
from ops.cop.month_entries import month_of
from ops.cop.pdf import pdf
from ops.cop.report import MEANINGS, CopReport, ReportTable, matching, percentile, report

RECEIVED = "2026-10-03T10:00:00.000Z"


def event(
    number: int, outcome: EventOutcome, *reasons: str, kind: str = "admission"
) -> EventRecord:
    """An event that happened `number` seconds before its receipt and was mailed 2 seconds after it."""
    return EventRecord(
        f"{number:032x}",
        kind,
        RECEIVED,
        outcome,
        event_time=f"2026-10-03T09:59:{60 - number:02d}.000Z",
        mailed_at="2026-10-03T10:00:02.000Z" if outcome is EventOutcome.TOLD else "",
        reasons=reasons,
    )


EVENTS = [
    *(event(number, EventOutcome.TOLD) for number in range(1, 21)),
    event(21, EventOutcome.NO_RECIPIENT, "RECIPIENT_OFF"),
    event(22, EventOutcome.SUPPRESSED, "PART2_NO_CONSENT"),
    event(23, EventOutcome.TOLD, kind="update"),
]


def made(events: list[EventRecord], unread: dict[str, str] | None = None) -> CopReport:
    return report(
        events,
        unread or {},
        sender="northgen",
        environment="prod",
        month=month_of("2026-10"),
        prepared="2026-11-02 (UTC)",
    )


def test_every_reason_has_its_meaning_in_a_surveyors_words() -> None:
    assert {*RefusalReason, *HoldReason} <= MEANINGS.keys()


def tables(of: CopReport) -> list[ReportTable]:
    return [block for block in of.blocks if isinstance(block, ReportTable)]


def test_shares_count_each_event_of_the_regulation_once_and_others_apart() -> None:
    outcomes, reasons, latencies, others = tables(made(EVENTS))
    assert outcomes.rows[0] == (
        "Admission",
        "(d)(3)(ii)",
        "22",
        "90.9",
        "20",
        "0",
        "0",
        "1",
        "1",
        "0",
    )
    assert outcomes.rows[-1][0] == "All"
    assert [row[0] for row in reasons.rows] == ["Suppressed", "Without recipient"]
    assert others.rows[0][:3] == ("Update", "", "1")
    assert latencies.rows[0] == ("Admission", "10.0 s", "19.0 s", *("2.0 s",) * 4)


def test_a_share_of_all_but_one_is_not_rounded_to_all() -> None:
    events = [event(1, EventOutcome.TOLD)] * 4999 + [event(2, EventOutcome.OPEN)]
    assert tables(made(events))[0].rows[0][3] == "99.9"


def test_percentiles_are_of_the_sample_by_nearest_rank() -> None:
    sample = [float(n) for n in range(1, 102)]
    assert percentile(sample, 50) == statistics.median(sample)
    assert percentile(sample, 95) == 96.0
    assert percentile([], 50) is None


def test_an_event_is_found_by_its_outcome_or_by_its_reason() -> None:
    assert [one.event_id for one in matching(EVENTS, "part2_no_consent")] == [f"{22:032x}"]
    assert [one.event_id for one in matching(EVENTS, "without recipient")] == [f"{21:032x}"]


def test_messages_that_nobody_could_read_are_named_with_their_error() -> None:
    text = markdown(made(EVENTS, {"a" * 32: "UnprocessableMessageError"}))
    assert "Not processed: 1 message (UnprocessableMessageError 1)." in text


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "11-2026"])
def test_a_month_is_year_and_month(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        month_of(text)


def test_a_month_ends_with_its_last_day() -> None:
    assert [month_of(m).until.day for m in ("2026-02", "2028-02", "2026-12")] == [28, 29, 31]


def test_a_line_is_never_wider_than_its_cell() -> None:
    text = "no provider is related to the patient Donaudampfschifffahrtsgesellschaft " * 3
    found = lines(text, 8, 60)
    assert all(width(line, 8) <= 60 for line in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


def test_the_pdf_has_a_field_to_sign_and_is_the_same_for_the_same_report() -> None:
    report_ = made([*EVENTS, *(event(5, EventOutcome.FAILED, f"error {n}") for n in range(80))])
    document = pdf(report_)
    assert document == pdf(report_)
    assert document.startswith(b"%PDF-1.7")
    assert document.count(b"/FT /Sig") == 1
    assert document.count(b"/FT /Tx") == 2
    # Each object's offset in the cross-reference table is that of the object (ISO 32000-1, 7.5.4).
    offsets = re.findall(rb"^(\d{10}) 00000 n ", document, re.MULTILINE)
    for number, offset in enumerate(offsets, 1):
        assert document[int(offset) :].startswith(b"%d 0 obj" % number)
    assert len(re.findall(rb"/Type /Page\b", document)) == 3
