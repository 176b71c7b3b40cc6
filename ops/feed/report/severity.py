"""The severities of a feed's findings."""

from enum import StrEnum


class Severity(StrEnum):
    """`ERROR`: messages are lost or told wrongly. `WARNING`: something is left out. `INFO`: good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

ORDER = {severity: n for n, severity in enumerate(Severity)}
