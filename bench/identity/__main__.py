"""`python -m bench.identity`: DynamoDB round trips, MPI queries, and time of one look-up.

A patient with ten recipients. DynamoDB is moto in this process, so that its time says nothing of AWS:
the round trips do. The simulated MPIs answer on loopback over their real protocols.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import boto3
from moto import mock_aws

from lambdas.common.aws.items import to_item
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.senders import SenderProfile
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.resolving import resolve
from lambdas.lookup_identities.settings import LookupSettings
from lambdas.registry.importing.plan import items_of_folder
from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, listen
from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager import PixManager, SimulatedPatients
from tests.support.tables import MPI_CACHE, REGISTRY, create_tables

RECIPIENTS = 10
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ENS_ENVIRONMENT": "bench",
    "ENS_VAULT_BUCKET": "vault",
    "ENS_AUDIT_TABLE": "audit",
    "ENS_STATUS_TABLE": "status",
    "ENS_LEDGER_TABLE": "ledger",
    "ENS_REGISTRY_TABLE": REGISTRY,
    "ENS_MPI_CACHE_TABLE": MPI_CACHE,
    "ENS_REFERENCE_KEY_SECRET": "key",
    "ENS_AUDIT_KEY_SECRET": "key",
}

EVENT = PatientEvent(
    event_id="bench",
    trigger_event="A01",
    event_kind=EventKind.ADMISSION,
    notifiable=True,
    hl7_version="2.5.1",
    patient=Patient(
        identifiers=(PatientIdentifier("H1", "NORTHGEN", identifier_type="MR"),),
        name=Name("Okafor", "Amara"),
        birth_date="1958-02-14",
        sex="F",
    ),
)


def main(arguments: list[str]) -> int:
    """Measures each MPI client and prints a line for it. Returns 1 when `registry` takes more than two round trips."""
    parser = argparse.ArgumentParser(prog="python -m bench.identity", description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="look-ups per backend")
    runs = parser.parse_args(arguments).runs
    os.environ.update(ENVIRONMENT)
    print(f"One look-up, a patient with {RECIPIENTS} recipients, {runs} runs each")
    print(f"{'':14}{'DynamoDB trips':>16}{'index asked':>13}{'p50 ms':>9}{'p95 ms':>9}")
    with tempfile.TemporaryDirectory() as scratch, mock_aws():
        folder = write_registry(Path(scratch))
        prepare(folder)
        trips = measured("registry", runs, lambda: 0)
        with pixpdq(folder) as asked:
            measured("pixpdq", runs, asked)
            measured("pixpdq", runs, asked, kept=True)
        with fhir(folder) as asked:
            measured("fhir", runs, asked)
            measured("fhir", runs, asked, kept=True)
    return int(trips > 2)


def write_registry(folder: Path) -> Path:
    """A folder with one patient and the ten who care for her."""
    files = {
        "patients.csv": ["patient_id,family,given,birth_date,sex", "p,Okafor,Amara,1958-02-14,F"],
        "identifiers.csv": ["authority,value,patient_id,provider_id", "NORTHGEN,H1,p,"],
        "providers.csv": ["provider_id,prefix,given,family,npi,email,active"],
        "relationships.csv": ["patient_id,provider_id,relationship,active"],
    }
    for number in range(RECIPIENTS):
        files["providers.csv"].append(f"dr-{number},Dr,A,B{number},,d{number}@clinic.example,yes")
        files["relationships.csv"].append(f"p,dr-{number},care_team,yes")
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def prepare(folder: Path) -> None:
    """The tables with the registry in them, and the key that makes references."""
    create_tables(boto3.client("dynamodb"))
    for item in items_of_folder(folder):
        boto3.client("dynamodb").put_item(TableName=REGISTRY, Item=to_item(item))
    boto3.client("secretsmanager").create_secret(
        Name="key", SecretString='{"current":"k1","k1":"bench"}'
    )


def measured(name: str, runs: int, asked: Callable[[], int], kept: bool = False) -> float:
    """Prints a backend's line; the median of its DynamoDB round trips.

    Each run is another question (another given name, which is not compared), or with `kept` the same.
    """
    os.environ["ENS_MPI_CLIENT"] = name
    context = LookupContext(LookupSettings.from_environment())
    calls: list[str] = []

    def count(model: object, **_: object) -> None:
        calls.append(str(model))

    context.client("dynamodb").meta.events.register("before-call.dynamodb", count)
    trips, times, before = [], [], asked()
    for run in range(runs):
        given = "Amara" if kept else f"Amara {run}"
        patient = replace(EVENT.patient, name=Name("Okafor", given))
        event = replace(EVENT, patient=patient)
        calls.clear()
        began = time.perf_counter()
        found = resolve(context, event, SenderProfile())
        times.append((time.perf_counter() - began) * 1000)
        trips.append(len(calls))
        if found is None or len(found.recipients) != RECIPIENTS:
            raise SystemExit(f"{name} did not find the {RECIPIENTS} recipients")
    context.close()
    questions = (asked() - before) / runs
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{name + ' kept' if kept else name:14}{statistics.median(trips):>16.0f}{questions:>13.1f}"
        f"{statistics.median(times):>9.1f}{p95:>9.1f}",
        flush=True,
    )
    return statistics.median(trips)


@contextmanager
def pixpdq(folder: Path) -> Iterator[Callable[[], int]]:
    """The simulated PIX manager, with its number of queries."""
    index = PixManager(folder).start()
    tell(host=HOST, port=index.port, domain="REGION")
    yield lambda: len(index.queries)
    index.stop()


@contextmanager
def fhir(folder: Path) -> Iterator[Callable[[], int]]:
    """The simulated FHIR MPI, with its number of requests."""
    people = SimulatedPatients(folder)
    app = create_app(Patients(people), Directory(folder))
    server = WsgiServer(listen("FHIR index", 0, ""), app).start()
    systems = {domain.namespace: system_of(domain) for domain in people.domains}
    tell(base_url=f"{server.url}/fhir", domain=region_system(people), systems=systems)
    yield lambda: len(app.config["asked"])
    server.stop()


def tell(**values: object) -> None:
    """Sets the step's variables for the MPI."""
    os.environ["ENS_MPI_SETTINGS"] = json.dumps(values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
