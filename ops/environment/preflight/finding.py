"""A finding of a check: its status, what is wrong, where, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The result of a check. Only `error` stops a deployment."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One line of the report.

    `what` is the state that was found, `where` the file and key or the resource, `to_do` the command or
    the edit that corrects it ("" if none is needed).
    """

    status: Status
    what: str
    where: str = ""
    to_do: str = ""


def ok(what: str, where: str = "") -> PreflightFinding:
    """Returns a finding without a problem."""
    return PreflightFinding(Status.OK, what, where)


def warning(what: str, where: str = "", to_do: str = "") -> PreflightFinding:
    """Returns a finding that does not stop a deployment."""
    return PreflightFinding(Status.WARNING, what, where, to_do)


def error(what: str, where: str = "", to_do: str = "") -> PreflightFinding:
    """Returns a finding that makes the deployment fail, or the deployed system not work."""
    return PreflightFinding(Status.ERROR, what, where, to_do)


def not_checked(why: str) -> PreflightFinding:
    """Returns the finding of a check that could not run."""
    return PreflightFinding(Status.NOT_CHECKED, why)
