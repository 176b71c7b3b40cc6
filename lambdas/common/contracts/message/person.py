"""Names of people."""

from dataclasses import dataclass

from lambdas.common.contracts.document import private


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name (XPN, or the name inside an XCN)."""

    family: str = private()
    given: str = private()
    middle: str = private()
    prefix: str = private()
    suffix: str = private()

    def display(self) -> str:
        """The name for display: `Dr Ines Barros`; "" when nothing was given."""
        parts = (self.prefix, self.given, self.middle, self.family, self.suffix)
        return " ".join(part for part in parts if part)
