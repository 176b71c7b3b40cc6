"""Headings that give a section's conditions a trait: "FAMILY HISTORY:", "Allergies:"."""

import re
from bisect import bisect_right
from collections.abc import Callable

from simulators.comprehend_medical.data_files import rows

Meaning = tuple[str, str]

_KNOWN = [
    (re.compile(row["pattern"], re.IGNORECASE), (row["trait"], row["about"]))
    for row in rows("headings.csv")
]

# A heading is at the start of a line or after a full stop, before a colon or alone on its line.
_HEADING = re.compile(
    r"(?:^|(?<=[.;]) )[ \t]*(?:\d+[.)] )?(?P<title>[A-Za-z][A-Za-z/&' -]{1,40}?)[ \t]*(?::|[ \t]-[ \t]|$)"
    r"|(?P<gap>\n[ \t]*\n)",
    re.MULTILINE,
)
_OTHER = re.compile(
    r".*\b(?:history|hx|hpi|pmh|psh|medications?|meds|exam(?:ination)?|plan|assessment|a/p|impression|course|ros|systems|"
    r"labs?|results|vitals?|diagnos[ei]s|disposition|habits|imaging|complaint|procedures?|problems?|problem list|"
    r"studies|data|instructions|follow[- ]?up|condition|recommendations?|summary|findings|social|objective|subjective)",
    re.IGNORECASE,
)
"""Headings without a trait. They end the section before them."""


def traits_at(text: str) -> Callable[[int], list[Meaning]]:
    """Returns a function from an offset to the traits of its section, each with the kind of mention it applies to."""
    begins: list[int] = [0]
    meanings: list[list[Meaning]] = [[]]
    for heading in _HEADING.finditer(text):
        title = (heading["title"] or "").strip()
        meant = [meaning for known, meaning in _KNOWN if known.fullmatch(title)]
        if meant or heading["gap"] or _OTHER.fullmatch(title):
            begins.append(heading.end())
            meanings.append(meant)
    return lambda offset: meanings[bisect_right(begins, offset) - 1]
