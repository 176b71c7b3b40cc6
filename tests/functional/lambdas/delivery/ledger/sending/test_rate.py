"""A burst above the account's rate, by a clock of the test's own."""

from collections import Counter

import pytest

from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import MailAccount
from lambdas.delivery.ledger.sending import rate

RATE = 14
ACCOUNT = MailAccount()
"""An account without a maximum rate: only the setting limits."""


def test_of_a_burst_no_second_has_more_mails_than_the_rate_and_a_fresh_one_never_waits(
    context: LedgerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_800_000_000.0]
    monkeypatch.setattr("lambdas.delivery.ledger.sending.rate.time.time", lambda: clock[0])
    mails: Counter[float] = Counter()

    def sent(*, released: bool) -> bool:
        fits = rate.may_send(context, released, ACCOUNT, RATE)
        mails[clock[0]] += fits
        return fits

    held = sum(not sent(released=False) for _ in range(100))
    assert held == 100 - RATE
    while held:
        clock[0] += 1
        while held and sent(released=True):
            held -= 1
        assert sent(released=False)
    assert max(mails.values()) == RATE
    assert len(mails) == 1 + 8  # the releases' share is eleven mails a second
