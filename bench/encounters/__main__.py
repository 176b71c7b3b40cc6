"""A million events of ten hospitals against the encounter rules and a table in memory: `make bench-encounters`.

Prints events a second, decisions by kind or reason, and whether every told begin has an end, a
correction or an open encounter. Time is simulated: nothing waits.
"""

import argparse
import sys
import time
from collections import Counter
from datetime import datetime
from functools import partial
from itertools import islice

from bench.encounters.balance import NONE, balance
from bench.encounters.hospitals import Hospitals
from bench.encounters.memory import MemoryStore
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track


def _same(moment: datetime) -> datetime:
    return moment


def main(arguments: list[str]) -> int:
    """The exit status: 1 when a told begin has nothing behind it, or an event of a load was told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="number of messages")
    parser.add_argument("--hospitals", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", action="store_true", help="every hospital loads its data")
    options = parser.parse_args(arguments)

    generator = Hospitals(options.hospitals, options.seed)
    profiles = {
        f"HOSPITAL{n}": EncounterProfile(name=f"HOSPITAL{n}", load=options.load)
        for n in range(options.hospitals)
    }
    store, kinds = MemoryStore(), Counter[str]()
    messages = 0
    spent = 0.0
    for message in islice(generator.messages(), options.events):
        received = datetime.fromisoformat(message.received_at)
        began = time.process_time()
        decision = track(store, message, profiles[message.sender], partial(_same, received))
        spent += time.process_time() - began
        kinds.update([str(notice.kind) for notice in decision.notices] or [f"({decision.reason})"])
        messages += 1
    followed = balance([*store.homes.values(), *store.archive])
    print(f"{messages:,} events of {options.hospitals} hospitals, {len(store.homes):,} encounters")
    print(
        f"{messages / spent:,.0f} events a CPU second for reading, deciding and writing in memory"
    )
    for name, number in kinds.most_common():
        print(f"  {name:28} {number:>10,}")
    print("told begins, by what followed:")
    for name, number in sorted(followed.items()):
        print(f"  {name:28} {number:>10,}")
    if followed[NONE]:
        print(f"{followed[NONE]} told begins have nothing behind them", file=sys.stderr)
    told = sum(number for name, number in kinds.items() if not name.startswith("("))
    if options.load and told:
        print(f"{told} events of a load were told", file=sys.stderr)
    return 1 if followed[NONE] or (options.load and told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
