import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.extract_entities.comprehend_medical.chunks import chunks
from simulators.comprehend_medical.answers import infer_icd10cm

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from([*" \n\t.!?;,ab", "é", "王", "😀", "\u0301"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


@given(TEXTS, st.integers(min_value=4, max_value=80))
def test_pieces_fit_stand_where_they_say_and_leave_out_nothing_but_blanks(
    text: str, limit: int
) -> None:
    end = 0
    for piece in chunks(text, limit):
        assert 0 < len(piece.text.encode()) <= limit
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
        assert piece.start >= end
        assert not text[end : piece.start].strip()
        end = piece.start + len(piece.text)
    assert not text[end:].strip()


def test_a_text_that_fits_stays_whole() -> None:
    assert [(c.start, c.text) for c in chunks("Pain. No fever.", 15)] == [(0, "Pain. No fever.")]


def test_a_piece_ends_behind_a_sentence_rather_than_within_one() -> None:
    text = "Chest pain since noon. Denies fever. Takes aspirin daily"
    assert [c.text for c in chunks(text, 45)] == [
        "Chest pain since noon. Denies fever.",
        "Takes aspirin daily",
    ]


def test_without_a_sentence_a_piece_ends_at_a_blank() -> None:
    assert [c.text for c in chunks("chest pain and fever and chills", 18)] == [
        "chest pain and",
        "fever and chills",
    ]


def test_a_word_longer_than_a_piece_is_cut_between_characters() -> None:
    pieces = chunks("王" * 10, 8)
    assert [c.text for c in pieces] == ["王王"] * 5
    assert [c.start for c in pieces] == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n"])
def test_blanks_make_no_piece(text: str) -> None:
    assert chunks(text, 10) == []


@given(
    st.lists(st.sampled_from(["Has gout.", "Denies fever.", "Takes aspirin 81 mg."]), max_size=60)
)
def test_no_sentence_is_cut_when_every_one_fits(sentences: list[str]) -> None:
    pieces = chunks(" ".join(sentences), 60)
    assert [s for piece in pieces for s in piece.text.replace(". ", ".|").split("|")] == sentences


WORDS = ("gout", "asthma", "migraine", "sciatica", "psoriasis", "anemia")


@given(
    st.lists(
        st.sampled_from([f"Has {word}." for word in WORDS] + ["Seen 😀 today.", "Rests é."]),
        max_size=25,
    ),
    st.integers(min_value=24, max_value=120),
)
@settings(max_examples=40)
def test_no_finding_is_lost_or_doubled_at_a_border(sentences: list[str], limit: int) -> None:
    text = " ".join(sentences)
    whole = [(e["BeginOffset"], e["Text"]) for e in infer_icd10cm(text)["Entities"]] if text else []
    pieces = [
        (piece.start + e["BeginOffset"], e["Text"])
        for piece in chunks(text, limit)
        for e in infer_icd10cm(piece.text)["Entities"]
    ]
    assert pieces == whole
