"""Maps MSH-12 to a version that hl7apy knows."""

import re

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.errors import UnprocessableMessageError

KNOWN = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
DEFAULT = "2.5"
"""Version of a message without MSH-12; hl7apy's default too."""


def version_of(declared: str, warnings: list[MessageWarning]) -> str:
    """The known version nearest below MSH-12 (2.7.1 is read as 2.7, 2.9 as 2.8.2).

    Raises `UnprocessableMessageError` when MSH-12 is not a version of HL7 v2.
    """
    if declared in KNOWN:
        return declared
    cleaned = declared.strip().lower().removeprefix("v").strip()
    if not re.fullmatch(r"(2(\.\d{1,2}){0,2})?", cleaned, re.ASCII):
        raise UnprocessableMessageError("MSH-12 is not a version of HL7 v2")
    nearest = DEFAULT
    if "." in cleaned:
        wanted = _numbers(cleaned)
        nearest = max((v for v in KNOWN if _numbers(v) <= wanted), key=_numbers, default=KNOWN[0])
    if cleaned not in KNOWN:
        warnings.append(MessageWarning(WarningCode.VERSION_UNKNOWN, "MSH-12", nearest))
    else:
        warnings.append(MessageWarning(WarningCode.VERSION_MISWRITTEN, "MSH-12", nearest))
    return nearest


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
