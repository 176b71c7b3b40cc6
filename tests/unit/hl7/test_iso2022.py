"""Text with escape sequences of ISO 2022 is read as Python's codecs wrote it, and never fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7.iso2022 import decode

KANJI = "山田太郎花子患者入院退院"
KATAKANA = "ヤマダタロウ"
HALF_WIDTH = "ﾔﾏﾀﾞﾀﾛｳ"
ASCII = r"AZaz09 |^~\&"


def latin(run: bytes) -> str:
    return run.decode("iso8859-1")


@pytest.mark.parametrize(
    ("codec", "letters"),
    [
        ("iso2022_jp", KANJI + KATAKANA),
        ("iso2022_jp_1", KANJI + "丂丄丅"),  # JIS X 0212
        ("iso2022_jp_ext", KANJI + HALF_WIDTH),
    ],
)
@given(data=st.data())
def test_any_text_is_read_as_the_codec_wrote_it(
    codec: str, letters: str, data: st.DataObject
) -> None:
    text = data.draw(st.text(st.sampled_from(letters + ASCII)))
    assert decode(text.encode(codec), latin) == text


@given(st.text(st.sampled_from(KANJI + ASCII)), st.text(st.sampled_from("éèüß" + ASCII)))
def test_latin_letters_before_and_behind_japanese_are_of_the_default_set(
    japanese: str, letters: str
) -> None:
    sent = letters.encode("iso8859-1") + japanese.encode("iso2022_jp") + letters.encode("iso8859-1")
    assert decode(sent, latin) == letters + japanese + letters


@pytest.mark.parametrize(
    ("sequence", "codec", "text"),
    [
        (b"\x1b-F", "iso8859-7", "Αθήνα"),
        (b"\x1b-L", "iso8859-5", "Иванов"),
        (b"\x1b$)C", "euc_kr", "김"),
    ],
)
def test_a_sequence_names_the_set_of_the_bytes_above_0x7f(
    sequence: bytes, codec: str, text: str
) -> None:
    assert decode(b"\xe9|" + sequence + text.encode(codec) + b"|x", latin) == f"é|{text}|x"


@given(st.binary())
def test_no_bytes_fail(data: bytes) -> None:
    assert isinstance(decode(data, latin), str)
