"""`python -m bench.aws_client`: processor time of the receiver's two AWS calls, by three clients.

Each client runs in a process of its own on one core, against the stub of S3 and SQS on the other, from
one event loop (uvloop) as in the receiver. Blocking clients are called in threads.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.aws_client.measure import CLIENTS, OWN
from bench.receiver import messages, peers_environment
from bench.receiver.processes import FOLDER, ROOT, cores, stub
from tests.support.tls import authority

_HOST = "localhost"
_SIZE = "2.5 kB"


def tls_options() -> tuple[list[str], str]:
    """The options of a stub that speaks TLS, and the file of its certificate's authority."""
    root = authority()
    issued = root.issue(_HOST)
    texts = {"authority": root.pem, "certificate": issued.pem, "key": issued.key_pem}
    files = {name: FOLDER / f"stub-{name}.pem" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    options = ["--certificate", str(files["certificate"]), "--key", str(files["key"])]
    return options, str(files["authority"])


def figures(
    name: str, python: str, options: argparse.Namespace, file: Path, concurrency: int, *, tls: bool
) -> dict[str, float]:
    """Returns the figures of one client with so many calls at a time."""
    stub_options, ca_file = tls_options() if tls else ([], "")
    with stub(*stub_options) as port:
        url = f"{'https' if tls else 'http'}://{_HOST}:{port}"
        command = ["taskset", "-c", ",".join(map(str, sorted(cores()[0]))), python]
        command += ["-m", "bench.aws_client.measure", name, url]
        command += [
            str(options.calls),
            str(concurrency),
            str(file),
            *([ca_file] if ca_file else []),
        ]
        environment = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def print_table(title: str, results: dict[str, dict[str, float]]) -> None:
    """Prints one table: each client's figures, and its processor time over that of our client."""
    print(f"\n{title}\n")
    print("| | PutObject us | over ours | SendMessageBatch us | over ours |")
    print("|---|---|---|---|---|")
    own = results[OWN]
    for name, found in results.items():
        cells = [name]
        for call in ("PutObject", "SendMessageBatch"):
            cells += [f"{found[call]:.0f}", f"{found[call] / own[call]:.1f}"]
        print(f"| {' | '.join(cells)} |")


def main() -> int:
    """Measures and prints. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.aws_client", description=__doc__)
    parser.add_argument("--calls", type=int, default=4000, help="of each kind, for each client")
    parser.add_argument("--concurrency", default="1,50", help="calls at a time, by commas")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        print("This benchmark keeps processes to cores: it runs on Linux only.")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = messages.write_all(FOLDER)[_SIZE]
    peers, absent = peers_environment.python(FOLDER)
    if absent:
        print(f"awscrt is not measured: {absent}", file=sys.stderr)
    names = [name for name in CLIENTS if not (name == "awscrt" and absent)]
    signatures: dict[str, float] = {}
    for tls in (False, True):
        for concurrency in map(int, options.concurrency.split(",")):
            results = {}
            for name in names:
                python = peers if name == "awscrt" else sys.executable
                results[name] = figures(name, python, options, file, concurrency, tls=tls)
                if "signature" in results[name]:
                    signatures[name] = results[name]["signature"]
            way = "TLS" if tls else "plain HTTP"
            print_table(f"{way}, {concurrency} at a time, a message of {_SIZE}", results)
    print("\nOne signature: " + ", ".join(f"{n} {us:.0f} us" for n, us in signatures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
