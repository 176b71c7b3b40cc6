"""`python -m bench.logs`: prints the bytes that one event's workflow writes to CloudWatch Logs.

Each case is a real execution of the state machine's file with the real handlers, on moto. Costs
are those of vended logs.
"""

from bench.logs.executions import CASES, executed, workflow_on_moto
from bench.logs.express import Volume, log_events

USD_PER_GB = 0.50
"""Vended logs, first 10 TB a month, us-east-1 (aws.amazon.com/cloudwatch/pricing)."""

MILLION = 1_000_000
Sizes = dict[str, tuple[Volume, Volume]]


def main() -> None:
    """Prints a row for each case: without and with execution data, and the price of a million."""
    print(
        f"{'event':26}{'events':>8}{'bytes':>9}{'USD/million':>13}{'with data':>11}{'USD/million':>13}"
    )
    for case, (plain, full) in measured().items():
        print(
            f"{case:26}{plain.events:8}{plain.size:9,}{usd(plain):13.2f}"
            f"{full.size:11,}{usd(full):13.2f}"
        )


def measured() -> Sizes:
    """The volumes of every case without and with execution data."""
    with workflow_on_moto() as workflow:
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


if __name__ == "__main__":
    main()
