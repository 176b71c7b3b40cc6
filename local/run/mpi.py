"""Starts the simulated MPI that `ENS_MPI` names, or uses a foreign one at `ENS_MPI_ADDRESS`.

`ENS_MPI=pixpdq make run` starts a simulator. `ENS_MPI=pixpdq ENS_MPI_ADDRESS=mpi.example:3600 make run`
asks that MPI. `ENS_MPI_SETTINGS` holds further settings as JSON, such as its `domain` (docs/identity.md).
"""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, listen
from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager import PixManager, SimulatedPatients


class UnknownMpiError(Exception):
    """Raised when `ENS_MPI`, `ENS_MPI_ADDRESS` or `ENS_MPI_SETTINGS` cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class ChosenMpi:
    """The MPI of a run: its kind, the address of a foreign one ("" for a simulator), further settings as JSON."""

    name: str = ""
    address: str = ""
    settings: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The MPI that ENS_MPI, ENS_MPI_ADDRESS and ENS_MPI_SETTINGS name."""
        variables = ("ENS_MPI", "ENS_MPI_ADDRESS", "ENS_MPI_SETTINGS")
        return cls(*(os.environ.get(name, "") for name in variables))


def start(chosen: ChosenMpi, folder: Path, running: ExitStack) -> dict[str, str]:
    """Returns the variables of LookupIdentities. Starts a simulator on the registry's files where no address is given.

    `registry` and "" start nothing. Raises `UnknownMpiError`.
    """
    further = _further(chosen.settings)
    match chosen.name:
        case "" | "registry":
            return {}
        case "pixpdq" if chosen.address:
            host, _, port = chosen.address.rpartition(":")
            if not host or not port.isdecimal():
                raise UnknownMpiError(
                    f"ENS_MPI_ADDRESS is {chosen.address!r}; allowed for pixpdq: host:port."
                )
            return _told("pixpdq", "registry", {"host": host, "port": int(port), **further})
        case "pixpdq":
            manager = PixManager(folder).start()
            running.callback(manager.stop)
            at = {"host": HOST, "port": manager.port, "domain": "REGION"}
            return _told("pixpdq", "registry", {**at, **further})
        case "fhir" if chosen.address:
            if not chosen.address.startswith(("http://", "https://")):
                raise UnknownMpiError(
                    f"ENS_MPI_ADDRESS is {chosen.address!r}; allowed for fhir: an http or https address."
                )
            # A foreign MPI is no directory of our invented providers.
            return _told("fhir", "registry", {"base_url": chosen.address, **further})
        case "fhir":
            people = SimulatedPatients(folder)
            app = create_app(Patients(people), Directory(folder))
            server = WsgiServer(listen("FHIR MPI", 0, ""), app).start()
            running.callback(server.stop)
            at = {
                "base_url": f"{server.url}/fhir",
                "domain": region_system(people),
                "systems": {domain.namespace: system_of(domain) for domain in people.domains},
            }
            return _told("fhir", "fhir", {**at, **further})
    raise UnknownMpiError(f"ENS_MPI is {chosen.name!r}; allowed: registry, pixpdq, fhir.")


def _further(text: str) -> dict[str, Any]:
    """The settings of ENS_MPI_SETTINGS; LookupIdentities checks each."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnknownMpiError("ENS_MPI_SETTINGS is not a JSON object.")
    return found


def _told(patients: str, providers: str, settings: dict[str, Any]) -> dict[str, str]:
    return {
        "ENS_MPI_CLIENT": patients,
        "ENS_PROVIDER_DIRECTORY": providers,
        "ENS_MPI_SETTINGS": json.dumps(settings),
    }
