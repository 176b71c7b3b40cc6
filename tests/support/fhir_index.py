"""The FHIR index on a port of its own, every resource on the wire checked by `fhir.resources`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from local.aws.http_server import WsgiServer
from local.aws.sockets import listen
from simulators.fhir_mpi.app import Authorize, create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager import SimulatedPatients

SEEDS = Path(__file__).resolve().parents[2] / "samples" / "registry"


def check(resource: dict[str, Any]) -> None:
    """Raises `ValidationError` for what is no resource of FHIR R4B."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


class FhirIndex:
    """A running server; `faults` lists what was not FHIR, `asked` the requests as they came."""

    def __init__(
        self, server: WsgiServer, app: Any, people: SimulatedPatients, directory: Directory
    ) -> None:
        self.url = server.url
        self.directory = directory
        self.asked: list[str] = app.config["asked"]
        self._failing: list[int] = app.config["failing"]
        self.settings: dict[str, Any] = {
            "base_url": f"{server.url}/fhir",
            "domain": region_system(people),
            "systems": {domain.namespace: system_of(domain) for domain in people.domains},
        }

    def fail_next(self, *statuses: int) -> None:
        """Makes the next requests end in these HTTP statuses."""
        self._failing.extend(statuses)


@contextmanager
def fhir_index(authorize: Authorize | None = None) -> Iterator[FhirIndex]:
    """The index of the local system's registry files, while the block runs."""
    people, directory = SimulatedPatients(SEEDS), Directory(SEEDS)
    invalid: list[str] = []

    def checked(resource: dict[str, Any]) -> None:
        try:
            check(resource)
        except ValueError as error:
            invalid.append(str(error))
            raise

    app = create_app(Patients(people), directory, checked, authorize)
    server = WsgiServer(listen("FHIR index", 0, ""), app).start()
    try:
        yield FhirIndex(server, app, people, directory)
    finally:
        server.stop()
    assert invalid == []
