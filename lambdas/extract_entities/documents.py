"""RTF and HTML as text. Each library is loaded when a message first holds such a document."""

import re

from lambdas.common.contracts.models import Note

_LANGUAGE = re.compile(r"<html[^>]{0,500}?\slang\s*=\s*[\"']?([a-z]{2,3})", re.IGNORECASE)


def plain(note: Note) -> tuple[str, str]:
    """The note's text, and the language that it declares ("" for none).

    A document loses what only lays it out: runs of blanks and empty lines, which are billed like
    words. Raises `ValueError` for markup that no text can be made of.
    """
    if note.form == "text":
        return note.text, ""
    try:
        text, language = _html(note.text) if note.form == "html" else (_rtf(note.text), "")
    except Exception as fault:
        # Whatever a library makes of a sender's markup: the document is not read, the others are.
        raise ValueError(f"{type(fault).__name__} in {note.form}") from None
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    if not text:
        raise ValueError(f"no text in {note.form}")
    return text, language


def _rtf(markup: str) -> str:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(markup, errors="replace")  # type: ignore[no-untyped-call]
    # RTF writes what is beyond 16 bits as two halves (\u-10179?\u-8704?).
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _html(markup: str) -> tuple[str, str]:
    from justhtml import JustHTML

    declared = _LANGUAGE.search(markup[:5000])
    text = JustHTML(markup).to_text(separator="\n", strip=False, separator_blocks_only=True)
    return text, declared[1].lower() if declared else ""
