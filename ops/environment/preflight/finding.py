"""A finding of a check: its status, what is wrong, where, and what to do."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Status(StrEnum):
    """The result of a check.

    ERROR: the deployment fails, or the deployed system does not work. NOT_CHECKED: the check could not run.
    """

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


ok = partial(PreflightFinding, Status.OK)
warning = partial(PreflightFinding, Status.WARNING)
error = partial(PreflightFinding, Status.ERROR)
not_checked = partial(PreflightFinding, Status.NOT_CHECKED)
