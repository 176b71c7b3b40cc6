"""`python -m bench.receiver.calls SECONDS FILE`: measures the S3 and SQS calls with boto3, one after the other.

The lower bound of a message that boto3 stores. Prints p50, p99 and the CPU time of one, in ms.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from bench.receiver.peers.storing import Storing


def main() -> None:
    """Stores the file repeatedly, and prints the times."""
    seconds, message = float(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    storing = Storing()
    storing.store(message)
    took: list[float] = []
    cpu = time.process_time()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        storing.store(message)
        took.append((time.perf_counter() - began) * 1000)
    cpu_ms = (time.process_time() - cpu) * 1000 / len(took)
    cuts = statistics.quantiles(took, n=100)
    print(json.dumps({"p50_ms": cuts[49], "p99_ms": cuts[98], "cpu_ms": cpu_ms}))


if __name__ == "__main__":
    main()
