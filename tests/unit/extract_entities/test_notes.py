from lambdas.common.models import Note
from lambdas.extract_entities.notes import reading


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
