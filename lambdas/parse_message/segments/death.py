"""Decides whether the message says that the patient died (docs/adr/0200-death-on-clear-evidence.md).

A death is told only on clear evidence that nothing contradicts. Evidence that is unclear or
contradicted is a warning, and readers get a notice that claims neither.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from hl7.death import Evidence, is_nubc, of_disposition, of_indicator
from hl7.er7 import Message
from hl7.tables import DISCHARGE_STATUSES
from hl7.timestamps import Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.senders import SenderDisposition

YEAR = 366
DEFAULT_YEARS = 20
"""A date of death so many years before the message is a default value of the sender's system, as 19000101."""

NO_END = 2099
"""From this year on a date of death means "none known", as in 99991231."""

ALIVE = frozenset(
    {"01", "02", "03", "04", "05", "06", "07", "21", "43", "61", "62", "63", "64", "65", "66", "70"}
    | {str(code) for code in range(81, 96)}
)
"""NUBC codes of patients who left alive. Hospice care and "still a patient" contradict no death."""


@dataclass(frozen=True, slots=True)
class DeathVerdict:
    """The verdict, and the time of death where one is told."""

    evidence: Evidence = Evidence.NONE
    died_at: str = field(default="", repr=False)


def death(
    message: Message,
    disposition: CodedText,
    own: Mapping[str, SenderDisposition],
    times: Times,
    moments: Iterable[str],
) -> DeathVerdict:
    """The death that PID-29, PID-30 and PV1-36 tell, or nearly tell.

    `own` is the sender's table of dispositions; `moments` are the message's own times in ISO 8601, by
    which a date lies in the future. Without any evidence of a death, the disposition of a patient who left
    alive is evidence against one.
    """
    pid, warnings = message.first("PID"), times.warnings
    indicator = of_indicator(pid.first(30).code() or pid.first(30).part(2))
    sent = pid.part(29).strip()
    died_at = times.time(sent, "PID-29")
    dated = sorted(filter(None, moments))
    by_date = _of_date(sent, died_at, dated, warnings)
    by_disposition = _of_disposition(disposition, own)
    found = {"PID-30": indicator, "PID-29": by_date, "PV1-36": by_disposition}
    clear = [position for position, evidence in found.items() if evidence is Evidence.CLEAR]
    against = [position for position, evidence in found.items() if evidence is Evidence.AGAINST]
    if died_at and _is_of_earlier_years(died_at, dated):
        against.append("PID-29")
    unclear = [position for position, evidence in found.items() if evidence is Evidence.UNCLEAR]
    if clear and against:
        warnings.append(
            MessageWarning(
                WarningCode.DEATH_CONTRADICTED, " and ".join(clear), " and ".join(against)
            )
        )
        return DeathVerdict(Evidence.UNCLEAR)
    if clear:
        return DeathVerdict(Evidence.CLEAR, died_at if by_date is Evidence.CLEAR else "")
    for position in unclear:
        warnings.append(MessageWarning(WarningCode.DEATH_UNCLEAR, position))
    if unclear:
        return DeathVerdict(Evidence.UNCLEAR)
    left_alive = by_disposition is Evidence.AGAINST or disposition.code.strip() in own
    return DeathVerdict(Evidence.AGAINST if left_alive else Evidence.NONE)


def _of_date(
    sent: str, died_at: str, moments: list[str], warnings: list[MessageWarning]
) -> Evidence:
    """The evidence in PID-29: a death, unless it is unreadable, in the future or long past."""
    if not sent:
        return Evidence.NONE
    if not died_at:
        return Evidence.UNCLEAR
    day = died_at[:10]
    if moments and day > _shifted(moments[-1], days=1)[: len(day)]:
        warnings.append(MessageWarning(WarningCode.DEATH_IN_FUTURE, "PID-29"))
        # A contradiction of every other evidence; alone, 9999 says nothing and a near date may be a slip.
        return Evidence.AGAINST if int(day[:4]) >= NO_END else Evidence.UNCLEAR
    if moments and day < _shifted(moments[-1], days=-YEAR)[: len(day)]:
        return Evidence.UNCLEAR  # a date of before this stay, as 19000101
    return Evidence.CLEAR


def _is_of_earlier_years(died_at: str, moments: list[str]) -> bool:
    """Whether the date of death lies more than a year back and is no default value: nobody returns from it."""
    if not moments:
        return False
    day, last = died_at[:10], moments[-1]
    first = _shifted(last, days=-YEAR * DEFAULT_YEARS)[: len(day)]
    return first <= day < _shifted(last, days=-YEAR)[: len(day)]


def _shifted(moment: str, days: int) -> str:
    """The day so many days later as `2026-11-23`; the moment itself where it is no full date."""
    try:
        return (date.fromisoformat(moment[:10]) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return moment[:10] + "~" * (days > 0)


def _of_disposition(disposition: CodedText, own: Mapping[str, SenderDisposition]) -> Evidence:
    if mapped := own.get(disposition.code.strip()):
        return Evidence.CLEAR if mapped.death else Evidence.NONE
    said = of_disposition(disposition.code, disposition.text, disposition.system)
    if said is not Evidence.NONE:
        return said
    nubc = not disposition.system or is_nubc(disposition.system)
    code = disposition.code.strip()
    if nubc and code in ALIVE:
        return Evidence.AGAINST
    # A code without words, of a table that nobody knows here, may be any outcome.
    is_unknown = code and not disposition.text and not (nubc and code in DISCHARGE_STATUSES)
    return Evidence.UNCLEAR if is_unknown and not any(map(str.isalpha, code)) else Evidence.NONE
