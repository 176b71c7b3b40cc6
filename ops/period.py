"""Days of a question, in UTC."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a question, both included (UTC)."""

    since: date
    until: date

    def holds(self, moment: str) -> bool:
        """Whether an ISO 8601 moment in UTC is on one of the days."""
        return self.since.isoformat() <= moment[:10] <= self.until.isoformat()

    def days(self) -> list[str]:
        """The days as YYYY-MM-DD."""
        return [
            (self.since + timedelta(days=n)).isoformat()
            for n in range((self.until - self.since).days + 1)
        ]
