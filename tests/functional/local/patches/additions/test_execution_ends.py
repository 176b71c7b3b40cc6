"""A thread learns that an execution has ended without asking for it."""

import threading

from local.patches.additions import execution_ends


def test_a_thread_that_waits_is_told_when_the_execution_ends() -> None:
    execution_ends.install()
    told = []
    waiter = threading.Thread(
        target=lambda: told.append(execution_ends.wait("arn:some:execution", 30))
    )
    waiter.start()
    with execution_ends._changed:
        execution_ends._ended["arn:some:execution"] = None
        execution_ends._changed.notify_all()
    waiter.join(5)
    assert told == [True]


def test_an_execution_that_runs_on_is_given_up_waiting_for() -> None:
    assert execution_ends.wait("arn:never:ends", 0.01) is False
