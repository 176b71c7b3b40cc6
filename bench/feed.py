"""`make bench-feed`: CPU time and memory of `ens feed check` for a folder of generated messages."""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from environments import load
from ops.feed.checking.check import new_check
from ops.feed.reading.files import feed_files, in_order_of_sending
from ops.feed.report.report import report_of
from tests.support.feeds import week


def main(arguments: list[str]) -> int:
    """Prints messages a CPU second and the peak memory. Returns 1 when a message was not accounted for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000, help="one file each")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for number, message in enumerate(week(options.messages), start=1):
            (Path(folder) / f"adt{number}.hl7").write_bytes(message)
        check = new_check(load("local"), "bench", None)
        began = time.process_time()
        for file in in_order_of_sending(feed_files((Path(folder),))):
            check.read(file)
        counts = report_of(check).messages
        spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{counts.total:,} messages in {spent:.1f} CPU s, {counts.total / spent:,.0f} a second")
    print(f"{peak:.0f} MB at most, {check.tally.forgotten_encounters:,} encounters forgotten")
    return 0 if counts.told + counts.silent == options.messages else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
