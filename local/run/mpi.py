"""Starts the simulated MPI that `ENS_MPI` names, as in `ENS_MPI=pixpdq make run`."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, listen
from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager import PixManager, SimulatedPatients


class UnknownMpiError(Exception):
    """Raised when `ENS_MPI` is not registry, pixpdq or fhir."""


def start(name: str, folder: Path, running: ExitStack) -> dict[str, str]:
    """Starts the MPI called `name` on the registry's files. Returns the variables of LookupIdentities.

    `registry` and "" start nothing. Raises `UnknownMpiError` for another name.
    """
    match name:
        case "" | "registry":
            return {}
        case "pixpdq":
            index = PixManager(folder).start()
            running.callback(index.stop)
            return _told(name, "registry", host=HOST, port=index.port, domain="REGION")
        case "fhir":
            people = SimulatedPatients(folder)
            app = create_app(Patients(people), Directory(folder))
            server = WsgiServer(listen("FHIR index", 0, ""), app).start()
            running.callback(server.stop)
            return _told(
                name,
                "fhir",
                base_url=f"{server.url}/fhir",
                domain=region_system(people),
                systems={domain.namespace: system_of(domain) for domain in people.domains},
            )
    raise UnknownMpiError(f"ENS_MPI is {name!r}; allowed: registry, pixpdq, fhir.")


def _told(patients: str, providers: str, **settings: Any) -> dict[str, str]:
    return {
        "ENS_MPI_CLIENT": patients,
        "ENS_PROVIDER_DIRECTORY": providers,
        "ENS_MPI_SETTINGS": json.dumps(settings),
    }
