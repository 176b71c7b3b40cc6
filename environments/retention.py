"""Table `[retention]`: the days for which each kind of data is kept."""

from dataclasses import dataclass
from typing import Literal

SIX_YEARS = 6 * 365 + 2
"""In days, two of them leap days. HIPAA's documents are kept for six years (45 CFR 164.316(b)(2)(i))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days from writing, or from an item's newest change, until its store deletes it.

    `vault_days` counts the last copy of a message, document or mail: a deleted object can be restored for
    `recovery_days`, and a backup keeps it for `backup.days`. `rejected_days` counts the last copy of a
    rejected message, 0 for `vault_days`. Items of tables stay in point-in-time recovery for 35 days more.
    """

    vault_days: int
    recovery_days: int = 7
    rejected_days: int = 0
    analyses_days: int = 30
    encounters_days: int = 400
    ledger_days: int = 400
    status_days: int = 400
    audit_days: int = SIX_YEARS
    trail_days: int = SIX_YEARS
    logs_days: Literal[1, 30, 90, 365]
    feedback_days: int = 14
    configuration_days: int = 365

    def __post_init__(self) -> None:
        if self.rejected_days > self.vault_days:
            raise ValueError(
                f"rejected_days: {self.rejected_days}; allowed: at most vault_days ({self.vault_days})"
            )
        if self.ledger_days < self.encounters_days:
            raise ValueError(
                f"ledger_days: {self.ledger_days}; allowed: at least encounters_days"
                f" ({self.encounters_days}), because a late message of a stay is told to those who"
                " were told before"
            )

    def check_real_patients(self) -> None:
        """Raises `ValueError` where the records of accesses and disclosures end before six years."""
        for key in ("audit_days", "trail_days"):
            days = getattr(self, key)
            if days < SIX_YEARS:
                raise ValueError(
                    f"retention.{key}: {days}; allowed: at least {SIX_YEARS} where patients are real"
                    " (six years, 45 CFR 164.316(b)(2)(i))"
                )
