"""A finding of a check: its status, what is wrong, where, and what to do."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended. Only `error` stops a deployment."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One line of the report.

    `what` says what is so or wrong; `where` names the file and key, or the resource; `to_do` is the
    command or the edit that mends it, "" where nothing is to be done.
    """

    status: Status
    what: str
    where: str = ""
    to_do: str = ""

    def to_dict(self) -> dict[str, str]:
        """The finding as JSON values."""
        return asdict(self)


def ok(what: str, where: str = "") -> PreflightFinding:
    """A check that found nothing wrong."""
    return PreflightFinding(Status.OK, what, where)


def warning(what: str, where: str = "", to_do: str = "") -> PreflightFinding:
    """Something to know or to do, which does not stop a deployment."""
    return PreflightFinding(Status.WARNING, what, where, to_do)


def error(what: str, where: str = "", to_do: str = "") -> PreflightFinding:
    """Something that makes a deployment fail, or a deployed system not work."""
    return PreflightFinding(Status.ERROR, what, where, to_do)


def not_checked(why: str, to_do: str = "") -> PreflightFinding:
    """A check that could not be made, and why."""
    return PreflightFinding(Status.NOT_CHECKED, why, "", to_do)
