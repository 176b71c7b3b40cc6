"""Converts RTF and HTML to text. Each library is imported when a message first has such a document."""

import re

from lambdas.common.contracts.message.notes import Markup, Note

_LANGUAGE = re.compile(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([a-z]{2,3})", re.IGNORECASE)


def plain(note: Note) -> tuple[str, str]:
    """The note's text, and the language that it declares ("" for none).

    Runs of blanks and empty lines are removed, because characters are billed. Raises `ValueError` for
    markup that cannot be converted.
    """
    if note.markup is Markup.TEXT:
        return note.text, ""
    try:
        text, language = _html(note.text) if note.markup is Markup.HTML else (_rtf(note.text), "")
    except Exception as fault:
        # Any failure of a library on a sender's markup: this document is not read, the others are.
        raise ValueError(f"{type(fault).__name__} in {note.markup}") from None
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    if not text:
        raise ValueError(f"no text in {note.markup}")
    return text, language


def _rtf(markup: str) -> str:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(markup, errors="replace")  # type: ignore[no-untyped-call]
    # RTF writes characters beyond 16 bits as two surrogates (\u-10179?\u-8704?).
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _html(markup: str) -> tuple[str, str]:
    from justhtml import JustHTML

    declared = _LANGUAGE.search(markup[:5000])
    text = JustHTML(markup).to_text(separator="\n", strip=False, separator_blocks_only=True)
    return text, declared[1].lower() if declared else ""
