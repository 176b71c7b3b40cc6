"""`python -m bench`: lists the benchmarks; `python -m bench NAME` runs one."""

import sys

BENCHMARKS = {
    "receiver": "our receiver beside its peers: messages per CPU second, ACK latency, memory",
    "cold": "import time of each step's handler, from its built asset, in a fresh interpreter",
}


def main(arguments: list[str]) -> int:
    """The exit status."""
    match arguments:
        case ["receiver", *rest]:
            from bench.receiver.run import main as receiver

            return receiver(rest)
        case ["cold", *rest]:
            from bench.cold import main as cold

            return cold(rest)
        case []:
            for name, what in BENCHMARKS.items():
                print(f"  make bench-{name:10} {what}")
            return 0
        case [name, *_]:
            print(f"There is no benchmark {name}; there are {', '.join(BENCHMARKS)}.")
            return 2
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
