"""Evidence that a patient died, in codes and plain words (docs/adr/0200-death-on-clear-evidence.md).

A code counts only in the table that its system names. The sender's text counts more than a code. A
word of death beside a negation, or about somebody or something else, is no clear evidence.
"""

import re
import unicodedata
from enum import StrEnum


class Evidence(StrEnum):
    """The evidence that a value gives of the patient's death."""

    NONE = "none"
    CLEAR = "clear"
    UNCLEAR = "unclear"
    AGAINST = "against"


NUBC_DEATHS = frozenset({"20", "40", "41", "42"})
"""NUBC patient discharge status (UB-04 FL 17): expired; at home, in a facility, place unknown."""

_STATE_DEFINED = frozenset(str(code) for code in range(21, 30))
"""HL7 table 0112: expired, to be defined at state level. NUBC uses 21 for a transfer to law enforcement."""

SNOMED_DEATHS = frozenset({"419099009", "371828006", "397709008", "371827001", "184305005"})
"""SNOMED CT: dead, patient deceased during stay, patient died, discharged alive aside, cause of death."""

_NUBC_SYSTEM = re.compile(
    r"(?:HL7|TABLE)?0?112|HL70112|NUBC.*|UB0?[49]2?.*|FL0?(?:17|22).*|CMS.*|21684011138831212?2?112"
    r"|2168401113883630120?1?.*"
)
_SNOMED_SYSTEM = re.compile(r"SCT.*|SNM.*|SNOMED.*|216840111388366?96")

_WORDS = re.compile(
    # English
    r"\b(?:died|dies|dead|death|deceased|decedent|expired?|exp|dcd|doa|dth|demise|mortuary|morgue"
    r"|passed away|fatal|stillborn|stillbirth|brain dead"
    # French
    r"|deces|decede[es]?|decedee?s?|mort|morte|morts|mortes|mortalite|trepas"
    # German
    r"|tod|tot|tote|toter|todesfall|verstorbene?r?|gestorben|exitus|letalis|verst"
    # Spanish, Portuguese, Italian
    r"|fallecid[oa]s?|fallecimiento|fallecio|fallece|muert[oa]s?|muerte|murio|defuncion|difunt[oa]"
    r"|obito|falecid[oa]|falecimento|morreu|decesso|decedut[oa]|mort[oa]"
    # Dutch, Nordic
    r"|overleden|overlijden|dood|avliden|doed|dod)\b"
)
_NEGATED = re.compile(
    r"\b(?:not|no|non|never|without|alive|living|survived|unlikely|near|risk|threat|wish|nicht|kein[e]?"
    r"|ohne|lebend|lebt|pas|sans|vivant[e]?|sin|viv[oa]|ningun[oa]?|niet|levend)\b"
)
_OF_OTHERS = re.compile(
    r"\b(?:mother|father|parent|spouse|partner|wife|husband|son|daughter|child|sibling|brother|sister"
    r"|family|relative|relation|donor|donors|transplant|insurance|authori[sz]ation|coverage|referral|order"
    r"|leave|pass|consent|prescription|permit|visa|licen[cs]e|bed hold|contract|bereavement|tissue"
    r"|angehorige[rn]?|mere|pere|famille|madre|padre|familia|sea)\b"
)
_YES = frozenset(
    {"Y", "YES", "TRUE", "T", "1", "J", "JA", "OUI", "O", "SI", "S", "SIM", "D"}
    | {"DEAD", "DECEASED", "DIED", "EXPIRED"}
)
_NO = frozenset(
    {"N", "NO", "FALSE", "F", "0", "NEIN", "NON", "NEE", "NAO", "ALIVE", "LIVING", "VIVANT", "VIVO"}
    | {"LEBEND", "LEBT"}
)


def plain(text: str) -> str:
    """The text in small letters without accents; everything but letters and digits is one blank."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ø", "oe"))
    bare = "".join(c for c in folded if unicodedata.category(c) not in ("Mn", "Cf"))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


def of_text(text: str) -> Evidence:
    """The evidence in the words of a text; `NONE` for one without a word of death."""
    words = plain(text[:400])
    if not _WORDS.search(words):
        return Evidence.NONE
    if _NEGATED.search(words) or _OF_OTHERS.search(words):
        return Evidence.UNCLEAR
    return Evidence.CLEAR


def of_indicator(value: str) -> Evidence:
    """PID-30, a yes or no (table 0136) or the same in words; `UNCLEAR` for any other value."""
    if not value.strip():
        return Evidence.NONE
    said = plain(value).upper()
    if said in _YES:
        return Evidence.CLEAR
    if said in _NO:
        return Evidence.AGAINST
    return Evidence.UNCLEAR


def is_nubc(system: str) -> bool:
    """Whether CWE.3 names the table of patient discharge status: HL7 0112, NUBC or UB-04."""
    return _NUBC_SYSTEM.fullmatch(_bare(system)) is not None


def of_disposition(code: str, text: str, system: str) -> Evidence:
    """The evidence in PV1-36: by its text, else by the table that its system names, else by NUBC's.

    A code of a named system that is neither NUBC's nor SNOMED CT's says nothing without a text.
    """
    code = code.strip()
    by_words = [of_text(one) for one in (text, code) if one and not one.isdigit()]
    if Evidence.CLEAR in by_words:
        return Evidence.CLEAR if Evidence.UNCLEAR not in by_words else Evidence.UNCLEAR
    if Evidence.UNCLEAR in by_words:
        return Evidence.UNCLEAR
    by_code = _of_code(code, system)
    if by_code is Evidence.CLEAR and text.strip(" .-") and plain(text) != plain(code):
        # The code says death and the text does not: the text of a table's own system outweighs nothing.
        return Evidence.UNCLEAR if _bare(system) and is_nubc(system) else Evidence.AGAINST
    return by_code


def _of_code(code: str, system: str) -> Evidence:
    bare = _bare(system)
    if _SNOMED_SYSTEM.fullmatch(bare):
        return Evidence.CLEAR if code in SNOMED_DEATHS else Evidence.NONE
    if bare and not is_nubc(system):
        return Evidence.NONE
    if code in NUBC_DEATHS:
        return Evidence.CLEAR
    return Evidence.UNCLEAR if bare and code in _STATE_DEFINED else Evidence.NONE


def _bare(system: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", system.upper())
