"""`python -m bench.receiver.calls SECONDS FILE`: the two calls themselves, one after the other, by boto3.

What a message costs at the least when it is stored one at a time; prints p50 and p99 in ms as JSON.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from bench.receiver.peers.storing import Storing


def main() -> None:
    """Stores the file over and over, and prints how long that takes."""
    seconds, message = float(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    storing = Storing()
    storing.store(message)
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        storing.store(message)
        took.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=100)
    print(json.dumps({"p50_ms": cuts[49], "p99_ms": cuts[98], "calls": len(took)}))


if __name__ == "__main__":
    main()
