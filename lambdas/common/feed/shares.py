"""Decides whether a sender's share of messages with a property departs from its usual share. Pure.

A sender's counts are a window of its newest messages, and its usual counts: all earlier windows, each
weighing a tenth less than the one after it. The two are compared by a test of proportions, so that
one threshold suits a sender with ten messages a day and one with ten thousand
(docs/adr/0209-signals-of-a-feed.md).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

DEVIATIONS = 5
"""Standard deviations by which the shares must differ: the test is repeated for each message."""

DECAY = 0.9
"""Weight of the usual counts when a window is added to them."""

LEAST_USUAL = 100
"""Messages that a sender's usual share needs before anything is compared with it."""

WARNED_WINDOW = 200
"""Messages of a window of warnings."""

LEAST_WARNED = 10
"""Fewest messages with warnings that are a rise."""

EXPECTED_KNOWN = 50
"""A window of look-ups ends when so many known patients were to be expected."""

NEVER_KNOWN = 1000
"""Look-ups without one known patient after which the sender is reported, whatever its usual share."""


class Signal(StrEnum):
    """The two shares of a feed. `WARNINGS`: messages with warnings. `KNOWN_PATIENTS`: look-ups with a patient."""

    WARNINGS = "warnings"
    KNOWN_PATIENTS = "known-patients"


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole` messages."""

    part: float = 0
    whole: float = 0

    @property
    def ratio(self) -> float:
        """The share, from 0 to 1; 0 without messages."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def percent(self) -> float:
        """The share in per cent, to a tenth."""
        return round(100 * self.ratio, 1)

    def plus(self, window: "Share") -> "Share":
        """These usual counts with one more window."""
        return Share(DECAY * self.part + window.part, DECAY * self.whole + window.whole)


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """Whether the window ends here, and whether it departs from the usual share."""

    ends: bool
    departs: bool


def judge(signal: Signal, window: Share, usual: Share) -> WindowVerdict:
    """Judges a window after each of its messages."""
    if signal is Signal.WARNINGS:
        departs = _risen(window, usual)
        return WindowVerdict(departs or window.whole >= WARNED_WINDOW, departs)
    departs = _fallen(window, usual)
    return WindowVerdict(departs or _is_full(window, usual), departs)


def _risen(window: Share, usual: Share) -> bool:
    """Whether far more messages than usual have warnings: twice the share at least."""
    expected = window.whole * usual.ratio
    return window.part >= max(LEAST_WARNED, 2 * expected) and _is_significant(window, usual)


def _fallen(window: Share, usual: Share) -> bool:
    """Whether far fewer patients than usual are known: half the share at most; or none of very many."""
    if not usual.part and not window.part:
        return window.whole >= NEVER_KNOWN
    expected = window.whole * usual.ratio
    return window.part <= expected / 2 and _is_significant(window, usual)


def _is_significant(window: Share, usual: Share) -> bool:
    """Whether two shares differ by more than chance: the test of two proportions, pooled.

    The variance leaves out the factor 1 - share, which makes the test stricter for high shares.
    """
    if usual.whole < LEAST_USUAL:
        return False
    pooled = (window.part + usual.part) / (window.whole + usual.whole)
    variance = window.whole * pooled * (1 + window.whole / usual.whole)
    return abs(window.part - window.whole * usual.ratio) >= DEVIATIONS * math.sqrt(variance)


def _is_full(window: Share, usual: Share) -> bool:
    if usual.whole < LEAST_USUAL:
        return window.part > 0 and window.whole >= LEAST_USUAL
    return window.whole * usual.ratio >= EXPECTED_KNOWN or window.whole >= 100 * EXPECTED_KNOWN
