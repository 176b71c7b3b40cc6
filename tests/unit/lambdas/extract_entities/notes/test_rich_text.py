import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.contracts.message.notes import Markup, Note
from lambdas.extract_entities.notes.rich_text import plain


def rtf(body: str) -> str:
    return plain(Note("OBX[1]-5", r"{\rtf1\ansi\ansicpg1252 " + body + "}", Markup.RTF))[0]


def html(markup: str) -> str:
    return plain(Note("OBX[1]-5", markup, Markup.HTML))[0]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Has {\b gout}.\par Denies fever.\line Rests.", "Has gout.\nDenies fever.\nRests."),
        (r"Temp 38\'b0C, na\'efve", "Temp 38°C, naïve"),
        (r"{\fonttbl{\f0 Arial;}}{\info{\author Dr X}}\f0 gout", "gout"),
        (r"{\pict\pngblip 89504e47}gout", "gout"),
        (r"{\*\generator Word}gout", "gout"),
        (r"\u55357 ?\u56832 ? gout", "😀 gout"),
        (r"{\b gout", "gout"),
        (r"\{PRN\} 5\\6", "{PRN} 5\\6"),
    ],
)
def test_rtf_becomes_its_text(body: str, text: str) -> None:
    assert rtf(body) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Has <b>gout</b>.</p><div>Denies<br>fever</div>", "Has gout.\nDenies\nfever"),
        ("<p>pneu<b>monia</b></p>", "pneumonia"),
        ("<ul><li>aspirin 81 mg<li>metformin</ul>", "aspirin 81 mg\nmetformin"),
        ("<script>x=1<2</script><style>p{}</style><!-- no --><p>gout", "gout"),
        ("<table><tr><td>Hb</td><td>9.8</td></tr></table>", "Hb\n9.8"),
        ("<p>Na&nbsp;139 &amp; K 5.1 &lt; 6</p>", "Na 139 & K 5.1 < 6"),
        ("<pre>Has gout\n  Denies fever</pre>", "Has gout\nDenies fever"),
        ("no markup at all", "no markup at all"),
        ("<div>" * 20_000 + "deep", "deep"),
    ],
)
def test_html_becomes_the_text_that_a_reader_sees(markup: str, text: str) -> None:
    assert html(markup) == text


def test_html_says_its_language() -> None:
    note = Note(
        "OBX[1]-5", '<!DOCTYPE html><html dir="ltr" lang="fr-CA"><p>fièvre</p>', Markup.HTML
    )
    assert plain(note) == ("fièvre", "fr")


@pytest.mark.parametrize(
    "note",
    [
        Note("f", r"{\rtf1 {\pict 00}}", Markup.RTF),
        Note("f", "<p><img src='data:image/png;base64,AAAA'></p>", Markup.HTML),
    ],
)
def test_a_document_without_text_is_not_read(note: Note) -> None:
    with pytest.raises(ValueError, match=f"no text in {note.markup}"):
        plain(note)


def test_plain_text_stays_as_it_is() -> None:
    assert plain(Note("f", " a\n\n  <b>")) == (" a\n\n  <b>", "")


@given(st.text(max_size=300), st.sampled_from([Markup.RTF, Markup.HTML]))
def test_no_markup_raises_anything_else_than_value_error(text: str, markup: Markup) -> None:
    start = r"{\rtf1 " if markup is Markup.RTF else "<html>"
    try:
        text, _ = plain(Note("f", start + text, markup))
    except ValueError as fault:
        assert str(fault).endswith(markup)
    else:
        assert text
        text.encode()
