"""Finds protected health information in a note by patterns, for DetectPHI and DetectEntitiesV2."""

import re

from simulators.comprehend_medical.extras import dates

_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|MS|DR)\b\.?"
_WORD = r"[A-Z][a-zà-ÿ'’-]+"
_PATTERNS = {
    "AGE": re.compile(
        r"\b(\d{1,3})(?=[ -]?(?:years?|yrs?|yo\b|y/o|y\.o\.|year-old|months?[ -]old|weeks?[ -]old|days?[ -]old|[MF]\b))"
        r"|(?<=age )\d{1,3}\b|(?<=aged )\d{1,3}\b",
        re.IGNORECASE,
    ),
    "EMAIL": re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
    "URL": re.compile(r"\b(?:https?://|www\.)[^\s,;]+"),
    "PHONE_OR_FAX": re.compile(
        r"(?<!\w)(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]?\d{4}\b|\b\d{3}-\d{4}\b"
    ),
    "ID": re.compile(
        r"\b(?:MRN|SSN|ID|account|acct|record)\s*(?:no\.?|number|#|:)*\s*(?P<it>[A-Z]*\d[\w-]{3,})|\b(?P<ssn>\d{3}-\d{2}-\d{4})\b",
        re.IGNORECASE,
    ),
    "ADDRESS": re.compile(
        r"\b\d{1,5} (?:[A-Z][\w.]* ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way)\b\.?(?:,? [A-Z][a-z]+)?(?:,? [A-Z]{2} \d{5})?"
        r"|\b(?:[A-Z][a-z]+ ){1,3}(?:Hospital|Medical Center|Clinic|Nursing Home)\b|\b[Rr]oom \w*\d\w*\b"
    ),
    "NAME": re.compile(
        rf"\b{_TITLE} (?P<it>{_WORD}(?: {_WORD}){{0,2}})|(?:[Pp]atient|[Nn]ame|[Pp]t)(?: name)?: ?(?P<it2>{_WORD}(?:,? {_WORD}){{1,2}})"
    ),
    "PROFESSION": re.compile(
        r"\b(?:teacher|nurse|engineer|farmer|lawyer|accountant|electrician|plumber|carpenter|truck driver|firefighter|police officer|mechanic|retired \w+er)\b",
        re.IGNORECASE,
    ),
}


def protected(text: str) -> list[tuple[str, int, int]]:
    """Returns type, begin and end of each match in the order of the text, without overlaps."""
    found = [("DATE", *span) for span in dates(text)]
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            group = next((name for name, value in match.groupdict().items() if value), 0)
            found.append((kind, *match.span(group)))
    found.sort(key=lambda piece: (piece[1], -piece[2]))
    kept: list[tuple[str, int, int]] = []
    for piece in found:
        if not kept or piece[1] >= kept[-1][2]:
            kept.append(piece)
    return kept
