"""Which index the local system asks: `ENS_MDM=pixpdq make run` is the whole system over the real protocol."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local.http_server import Server
from local.servers import HOST, listen
from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager import Index, People


class MdmError(Exception):
    """`ENS_MDM` names no index that the local system can bring along."""


def start(name: str, folder: Path, running: ExitStack) -> dict[str, str]:
    """Starts the index called `name` on the registry's files; what LookupIdentities is to be told of it.

    `registry`, or nothing, needs no index. Raises `MdmError` for a name that is none.
    """
    match name:
        case "" | "registry":
            return {}
        case "pixpdq":
            index = Index(folder).start()
            running.callback(index.stop)
            return _told(name, "registry", host=HOST, port=index.port, domain="REGION")
        case "fhir":
            people = People(folder)
            app = create_app(Patients(people), Directory(folder))
            server = Server(listen("FHIR index", 0, ""), app).start()
            running.callback(server.stop)
            return _told(
                name,
                "fhir",
                base_url=f"{server.url}/fhir",
                domain=region_system(people),
                systems={domain.namespace: system_of(domain) for domain in people.domains},
            )
    raise MdmError(f"ENS_MDM is {name!r}: it can be registry, pixpdq or fhir.")


def _told(patients: str, providers: str, **settings: Any) -> dict[str, str]:
    return {
        "ENS_MDM_BACKEND": patients,
        "ENS_PROVIDER_BACKEND": providers,
        "ENS_MDM_SETTINGS": json.dumps(settings),
    }
