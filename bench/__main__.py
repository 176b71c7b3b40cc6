"""`python -m bench`: lists the benchmarks; `python -m bench NAME` runs one."""

import re
import sys
from pathlib import Path

_MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"
_TARGET = re.compile(r"^(bench-[a-z-]+):.*## (.*)$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    match arguments:
        case ["receiver", *rest]:
            from bench.receiver.run import main as receiver

            return receiver(rest)
        case ["cold", *rest]:
            from bench.cold import main as cold

            return cold(rest)
        case []:
            for target, what in _TARGET.findall(_MAKEFILE.read_text()):
                print(f"  make {target:22} {what}")
            return 0
        case _:
            print("There is no such benchmark; `python -m bench` lists them.", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
