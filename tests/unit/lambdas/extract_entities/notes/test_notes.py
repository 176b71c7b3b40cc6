import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.notes import Markup, Note, Skipped, SkippedReason
from lambdas.common.contracts.message.visit import CodedText, Visit
from lambdas.extract_entities.notes.notes import Piece, fitting, reading, sources

GAPS = reading(
    [Piece("OBX[1]-5", "s/p PE"), Piece("OBX[2]-5", "  "), Piece("NTE[1]-3", "no fever")]
)


def test_notes_become_one_text_in_order_and_each_place_knows_its_field() -> None:
    assert GAPS.text == "s/p PE\nno fever"
    assert GAPS.field_at(0) == "OBX[1]-5"
    assert GAPS.field_at(GAPS.text.index("PE")) == "OBX[1]-5"
    assert GAPS.field_at(GAPS.text.index("no fever")) == "NTE[1]-3"
    assert GAPS.field_at(len(GAPS.text) - 1) == "NTE[1]-3"


@pytest.mark.parametrize(
    ("begin", "end", "fields"),
    [
        (0, 3, ("OBX[1]-5",)),
        (4, 9, ("OBX[1]-5", "NTE[1]-3")),
        (7, 15, ("NTE[1]-3",)),
        (0, 6, ("OBX[1]-5",)),
    ],
)
def test_a_stretch_of_the_text_knows_the_fields_in_it(
    begin: int, end: int, fields: tuple[str, ...]
) -> None:
    assert GAPS.fields_in(begin, end) == fields


def test_no_notes_and_blank_notes_are_an_empty_text() -> None:
    assert reading([]).text == ""
    assert reading([Piece("OBX[1]-5", "\n ")]).text == ""
    assert reading([]).field_at(0) == ""


def event(*notes: str | Note, **facts: object) -> PatientEvent:
    return PatientEvent(
        event_id="e",
        trigger_event="A01",
        event_kind=EventKind.ADMISSION,
        notifiable=True,
        hl7_version="2.5.1",
        notes=tuple(
            Note(f"OBX[{number}]-5", note) if isinstance(note, str) else note
            for number, note in enumerate(notes, 1)
        ),
        **facts,  # type: ignore[arg-type]  # a handful of fields, named by the tests
    )


def test_the_reason_for_the_visit_and_the_diagnoses_words_are_read_before_the_notes() -> None:
    told, _ = sources(
        event(
            "No fever.",
            visit=Visit(reason=CodedText(text="chest pain")),
            diagnoses=(CodedText(code="I26.99", text="pulmonary embolism"),),
        )
    )
    assert [(piece.place, piece.text) for piece in told] == [
        ("PV2-3", "chest pain"),
        ("DG1[1]-3", "pulmonary embolism"),
        ("OBX[1]-5", "No fever."),
    ]


def test_words_that_stand_where_a_code_belongs_are_read_and_a_code_is_not() -> None:
    told, _ = sources(
        event(visit=Visit(reason=CodedText("chest pain")), diagnoses=(CodedText("I26.99"),))
    )
    assert [(piece.place, piece.text) for piece in told] == [("PV2-3", "chest pain")]


def test_boilerplate_that_every_segment_repeats_is_read_once() -> None:
    line = "This report is confidential and meant for the addressee only."
    told, _ = sources(event(f"{line}\nHas gout.", f"{line.upper()}\nHas asthma.", "Yes", "Yes"))
    assert [piece.text for piece in told] == [f"{line}\nHas gout.", "Has asthma.", "Yes", "Yes"]


def test_a_document_is_read_in_its_place_and_one_that_cannot_be_is_named() -> None:
    told, unread = sources(
        event(
            "first",
            Note("OBX[2]-5", "{\\rtf1 second}", Markup.RTF),
            Note("OBX[3]-5", "<img src=x>", Markup.HTML),
            "fourth",
            skipped_notes=(Skipped("OBX[5]-5", SkippedReason.PDF),),
        )
    )
    assert [piece.text for piece in told] == ["first", "second", "fourth"]
    assert unread == [
        Skipped("OBX[5]-5", SkippedReason.PDF),
        Skipped("OBX[3]-5", SkippedReason.DAMAGED),
    ]


def test_text_beyond_the_limit_is_cut_at_a_blank_and_every_field_that_lost_some_is_named() -> None:
    pieces = [Piece("a", "Has gout."), Piece("b", "Denies fever today."), Piece("c", "Asthma")]
    kept, unread = fitting(pieces, 20)
    assert [piece.text for piece in kept] == ["Has gout.", "Denies"]
    assert unread == [Skipped("b", SkippedReason.TOO_LONG), Skipped("c", SkippedReason.TOO_LONG)]


@given(st.lists(st.text(alphabet="ab \n😀é", max_size=12), max_size=6), st.integers(0, 40))
def test_what_fits_is_a_beginning_of_the_text_and_nothing_is_cut_unnamed(
    texts: list[str], limit: int
) -> None:
    pieces = [Piece(str(number), text) for number, text in enumerate(texts)]
    kept, unread = fitting(pieces, limit)
    assert sum(len(piece.text) for piece in kept) <= limit
    whole = {piece.place: piece.text for piece in pieces}
    assert all(whole[piece.place].startswith(piece.text) for piece in kept)
    named = {gap.position for gap in unread}
    assert {p for p, text in whole.items() if text not in {k.text for k in kept}} <= named


@given(st.lists(st.text(alphabet="ab \n😀é\u0301", max_size=12), max_size=6))
def test_every_offset_of_the_text_leads_to_the_piece_that_stood_there(texts: list[str]) -> None:
    read = reading([Piece(str(number), text) for number, text in enumerate(texts)])
    for start, name in zip(read.starts, read.fields, strict=True):
        text = texts[int(name)]
        assert read.text[start : start + len(text)] == text
        assert {read.field_at(start + place) for place in range(len(text))} == {name}
