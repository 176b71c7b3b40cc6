"""The tables and the goals of a receiver benchmark."""

import pytest

from bench.receiver.contenders import Contender
from bench.receiver.generator import Load
from bench.receiver.goals import print_goals
from bench.receiver.idle import Idle
from bench.receiver.table import Cell, Result, best_peer, print_tables

CALLS = {"p50_ms": 2.0, "p99_ms": 4.0, "cpu_ms": 1.5}
COLUMN = ("0.5 kB", 50)


def load(answered: int, *, refused: int = 0, p50: float = 1.0, p99: float = 2.0) -> Load:
    return Load(1.0, answered, refused, 0, 0, p50, p99, p99)


def result(
    name: str, answered: int, *, peer: bool = True, stored: int | None = None, absent: str = ""
) -> Result:
    contender = Contender(name, peer=peer)
    cell = Cell((load(answered),), 1.0, answered if stored is None else stored)
    return Result(contender, {} if absent else {COLUMN: cell}, 50.0, absent=absent)


def printed(capsys: pytest.CaptureFixture[str], *results: Result) -> str:
    print_tables(results, ["0.5 kB"], [50], CALLS)
    print_goals(results, CALLS)
    return capsys.readouterr().out


def test_the_ratio_is_to_the_fastest_peer_that_stores(capsys: pytest.CaptureFixture[str]) -> None:
    ours, fast, slow = result("hl7-ens", 600, peer=False), result("a", 100), result("b", 50)
    assert best_peer([ours, fast, slow], COLUMN) == 100.0
    text = printed(capsys, ours, fast, slow)
    assert "6.00" in text
    assert "met      5 times the best peer, 0.5 kB, 50 connections: 6.0" in text


def test_a_contender_that_was_not_run_is_named_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "Apache Camel                not run: no mvn here" in printed(
        capsys, result("Apache Camel", 0, absent="not run: no mvn here")
    )


def test_an_answer_without_a_stored_message_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, result("liar", 100, stored=90))
    assert "liar, 0.5 kB 50c: 10 acknowledged but not stored" in text


def test_a_goal_that_is_missed_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, result("hl7-ens", 400, peer=False), result("a", 100))
    assert "NOT MET  5 times the best peer, 0.5 kB, 50 connections: 4.0" in text


def test_what_idle_connections_cost_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    ours = result("hl7-ens", 600, peer=False)
    ours.idle = Idle(mb=4.25, cpu_ms=1.5, held=499)
    text = printed(capsys, ours)
    assert "500 idle connections" in text
    assert text.split("500 idle connections")[1].split("hl7-ens")[1].split()[:3] == [
        "4.2",
        "1.5",
        "499",
    ]
