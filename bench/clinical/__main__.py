"""`python -m bench.clinical [FOLDER]`: prints accuracy and speed of the Comprehend Medical simulator.

FOLDER holds JSON notes (see held_out/README.md), itself or in `notes/`, and may hold `phrases.csv`.
Without one, the held-out set is measured.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from bench.clinical.scoring import Scores, Tally, count, notes, phrases
from bench.receiver.processes import memory_mb

HELD_OUT = Path(__file__).parent / "held_out"
YARDSTICKS = {
    "condition F1": 0.80,
    "medication F1": 0.85,
    "negation F1": 0.93,
    "ICD-10-CM right first": 0.75,
    "ICD-10-CM within five": 0.90,
}
ROUNDS = 3


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.clinical", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HELD_OUT)
    parser.add_argument("--mistakes", action="store_true", help="list what was missed or too much")
    options = parser.parse_args()
    folder: Path = options.folder
    read = notes(folder / "notes" if (folder / "notes").is_dir() else folder)
    asked = phrases(folder / "phrases.csv")
    if not read and not asked:
        raise SystemExit(f"{folder}: no notes and no phrases.csv")
    with _serving() as (client, ready, process):
        scores = Scores()
        times = []
        for note in read:
            for _ in range(ROUNDS):
                start = time.perf_counter()
                found = client.detect_entities_v2(Text=note.text)["Entities"]
                times.append((time.perf_counter() - start) * 1000)
            coded = client.infer_icd10_cm(Text=note.text)["Entities"]
            count(scores, note, found, coded)
        first, within = _linked(client, asked, scores)
        resident = memory_mb(process.pid, "VmHWM")
    _report(scores, len(read), times, (first, within, len(asked)), (ready, resident))
    if options.mistakes:
        print(*scores.mistakes, sep="\n")


def _linked(client: Any, asked: list[tuple[str, str]], scores: Scores) -> tuple[int, int]:
    """The numbers of phrases whose code is first, and among the five, of the first condition found."""
    first = within = 0
    for phrase, code in asked:
        entities = client.infer_icd10_cm(Text=phrase)["Entities"]
        offered = [c["Code"] for c in entities[0]["ICD10CMConcepts"]] if entities else []
        first += offered[:1] == [code]
        within += code in offered
        if offered[:1] != [code]:
            scores.mistakes.append(f"phrase {phrase}: {code}, offered {' '.join(offered)}")
    return first, within


@contextmanager
def _serving() -> Iterator[tuple[Any, float, "subprocess.Popen[str]"]]:
    """Starts the simulator in a process. Returns a client, the start time in seconds, and the process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.comprehend_medical", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().partition("=")[2]
        ready = time.perf_counter() - start
        client = boto3.client(
            "comprehendmedical",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
        )
        yield client, ready, process
    finally:
        process.terminate()
        process.wait(timeout=5)


def _report(
    scores: Scores,
    count_of_notes: int,
    times: list[float],
    linked: tuple[int, int, int],
    process: tuple[float, float],
) -> None:
    first, within, asked = linked
    ready, resident = process
    print(f"{count_of_notes} notes, {asked} phrases")
    for name, tally in (
        ("condition", scores.conditions),
        ("medication", scores.medications),
        ("negation", scores.negation),
    ):
        if count_of_notes:
            _line(f"{name} F1", tally.f1(), _parts(tally))
    if asked:
        _line("ICD-10-CM right first", first / asked, f"{first} of {asked}")
        _line("ICD-10-CM within five", within / asked, f"{within} of {asked}")
    total = len(scores.codes)
    if total:
        right = sum(offered[:1] == [code] for _, code, offered in scores.codes)
        among = sum(code in offered for _, code, offered in scores.codes)
        print(
            f"  codes of the notes' conditions    first {right / total:.3f}, within five {among / total:.3f} ({total})"
        )
    if times:
        print(f"  median a note                     {statistics.median(times):.1f} ms (at most 25)")
    print(f"  ready after                       {ready:.2f} s (at most 2)")
    print(f"  resident                          {resident:.0f} MB (under 250)")


def _line(name: str, figure: float, detail: str) -> None:
    wanted = YARDSTICKS[name]
    verdict = "reached" if figure >= wanted else "NOT reached"
    print(f"  {name:<32}  {figure:.3f} (yardstick {wanted:.2f}, {verdict}; {detail})")


def _parts(tally: Tally) -> str:
    return f"precision {tally.precision():.3f}, recall {tally.recall():.3f}, {tally.hits + tally.missed} annotated"


if __name__ == "__main__":
    main()
