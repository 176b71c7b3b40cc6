"""`python -m simulators.pix_manager FOLDER --port N`: runs the PIX manager alone, for any PIX/PDQ v2 client."""

import argparse
import threading
from pathlib import Path

from simulators.pix_manager import PixManager
from simulators.pix_manager.server import HOST


def main() -> None:
    """Serves on the loopback interface until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.pix_manager",
        description="A simulated PIX manager and PDQ supplier (IHE ITI-9, ITI-21) over MLLP.",
    )
    parser.add_argument("folder", type=Path, help="the registry's CSV files: samples/registry")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    options = parser.parse_args()
    try:
        manager = PixManager(options.folder, options.port).start()
    except OSError as error:
        raise SystemExit(f"port {options.port} cannot be used: {error.strerror}") from None
    print(f"MLLP {HOST}:{manager.port}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        manager.stop()


if __name__ == "__main__":
    main()
