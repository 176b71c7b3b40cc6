from lambdas.common.models import CodedText, Note, PatientEvent, Visit
from lambdas.extract_entities.notes import reading, sources


def test_notes_become_one_text_in_order_and_each_place_knows_its_field() -> None:
    read = reading(
        [Note("OBX[1]-5", "s/p PE"), Note("OBX[2]-5", "  "), Note("NTE[1]-3", "no fever")]
    )
    assert read.text == "s/p PE\nno fever"
    assert read.field_at(0) == "OBX[1]-5"
    assert read.field_at(read.text.index("PE")) == "OBX[1]-5"
    assert read.field_at(read.text.index("no fever")) == "NTE[1]-3"
    assert read.field_at(len(read.text) - 1) == "NTE[1]-3"


def test_no_notes_and_blank_notes_are_an_empty_text() -> None:
    assert reading([]).text == ""
    assert reading([Note("OBX[1]-5", "\n ")]).text == ""
    assert reading([]).field_at(0) == ""


def event(*notes: str, **facts: object) -> PatientEvent:
    return PatientEvent(
        event_id="e",
        trigger_event="A01",
        kind="admission",
        notifiable=True,
        hl7_version="2.5.1",
        notes=tuple(Note(f"OBX[{number}]-5", note) for number, note in enumerate(notes, 1)),
        **facts,  # type: ignore[arg-type]  # a handful of fields, named by the tests
    )


def test_the_reason_for_the_visit_and_the_diagnoses_words_are_read_before_the_notes() -> None:
    told = sources(
        event(
            "No fever.",
            visit=Visit(reason=CodedText(text="chest pain")),
            diagnoses=(CodedText(code="I26.99", text="pulmonary embolism"),),
        )
    )
    assert [(note.field, note.text) for note in told] == [
        ("PV2-3", "chest pain"),
        ("DG1[1]-3", "pulmonary embolism"),
        ("OBX[1]-5", "No fever."),
    ]


def test_boilerplate_that_every_segment_repeats_is_read_once() -> None:
    line = "This report is confidential and meant for the addressee only."
    told = sources(event(f"{line}\nHas gout.", f"{line.upper()}\nHas asthma.", "Yes", "Yes"))
    assert [note.text for note in told[1:]] == [f"{line}\nHas gout.", "Has asthma.", "Yes", "Yes"]
