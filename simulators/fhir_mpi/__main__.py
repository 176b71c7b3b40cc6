"""`python -m simulators.fhir_mpi FOLDER --port N`: runs the FHIR MPI alone, for any PIXm or PDQm client."""

import argparse
from pathlib import Path

from werkzeug.serving import make_server

from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients
from simulators.pix_manager import SimulatedPatients

HOST = "127.0.0.1"


def main() -> None:
    """Serves on the loopback interface until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.fhir_mpi",
        description="A simulated FHIR MPI and provider directory: PIXm, PDQm, $match and mCSD.",
    )
    parser.add_argument("folder", type=Path, help="the registry's CSV files: samples/registry")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    options = parser.parse_args()
    app = create_app(Patients(SimulatedPatients(options.folder)), Directory(options.folder))
    server = make_server(HOST, options.port, app, threaded=True)
    print(f"http://{HOST}:{server.server_port}/fhir", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
