"""`python -m bench.logs [REVISION]`: prints the bytes that one event's workflow writes to CloudWatch Logs.

Each case is a real execution of the state machine's file with the real handlers, on moto. REVISION
measures the definition of that git revision beside it. Costs are those of vended logs.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.logs.executions import CASES, executed, workflow_on_moto
from bench.logs.express import Volume, log_events
from tests.support.workflow import ASL_FILE

USD_PER_GB = 0.50
"""Vended logs, first 10 TB a month, us-east-1 (aws.amazon.com/cloudwatch/pricing)."""

MILLION = 1_000_000
Sizes = dict[str, tuple[Volume, Volume]]


def main(arguments: Sequence[str]) -> None:
    """Prints a row for each case: without and with execution data, and the price of a million."""
    for revision in (*arguments, ""):
        print(f"\n{revision or 'this checkout'}")
        print(
            f"{'event':26}{'events':>8}{'bytes':>9}{'USD/million':>13}{'with data':>11}{'USD/million':>13}"
        )
        for case, (plain, full) in measured(revision).items():
            print(
                f"{case:26}{plain.events:8}{plain.size:9,}{usd(plain):13.2f}"
                f"{full.size:11,}{usd(full):13.2f}"
            )


def measured(revision: str = "") -> Sizes:
    """The volumes of every case without and with execution data; `revision` "" is this checkout."""
    with (
        tempfile.TemporaryDirectory() as folder,
        workflow_on_moto(_definition(revision, Path(folder))) as workflow,
    ):
        histories = {case: executed(workflow, name).history for case, name in CASES.items()}
    return {
        case: (
            Volume.of(log_events(history, data=False)),
            Volume.of(log_events(history, data=True)),
        )
        for case, history in histories.items()
    }


def usd(volume: Volume) -> float:
    """The cost of a million such events."""
    return volume.size * MILLION / 1e9 * USD_PER_GB


def _definition(revision: str, folder: Path) -> Path:
    if not revision:
        return ASL_FILE
    name = ASL_FILE.relative_to(Path.cwd())
    shown = subprocess.run(
        ["git", "show", f"{revision}:{name}"], check=True, capture_output=True, text=True
    )
    file = folder / ASL_FILE.name
    file.write_text(shown.stdout)
    return file


if __name__ == "__main__":
    main(sys.argv[1:])
