"""Every valid answer of an MPI, cut off and changed at every byte: never a wrong patient, never nobody.

PIX manager and FHIR server are the simulators, called without a socket.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import pytest
from flask import Flask

from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import EnsError
from lambdas.lookup_identities.fhir import mpi_client as fhir
from lambdas.lookup_identities.fhir.http import FhirResponse, _object
from lambdas.lookup_identities.matching.agreement import agreeing
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError
from lambdas.lookup_identities.mpi.settings import MpiSettings
from lambdas.lookup_identities.pix_pdq import mpi_client as pix_pdq
from lambdas.lookup_identities.pix_pdq.queries import AssigningAuthority, Parties
from lambdas.registry.records import Match
from simulators.fhir_mpi import create_app
from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import Patients, region_system, system_of
from simulators.pix_manager.answers import QueryResponder
from simulators.pix_manager.people import SimulatedPatients
from tests.functional.lambdas.lookup_identities.world import northgen
from tests.support.authorities import ASSERTED
from tests.support.registry import SEEDS

OKAFOR = Patient(name=Name("OKAFOR", "AMARA"), birth_date="1958-02-14", sex="F")
LIND = Patient(name=Name("LIND", ""), birth_date="", sex="")
PEOPLE = SimulatedPatients(SEEDS)

Damage = Callable[[bytes], bytes]
Find = Callable[[tuple[PatientIdentifier, ...], Patient], Match | None]

BYTES = b'x0 |^~&\r\x00\xff"'


def cut(at: int, answer: bytes) -> bytes:
    return answer[:at]


def without(at: int, answer: bytes) -> bytes:
    return answer[:at] + answer[at + 1 :]


def replaced(at: int, byte: int, answer: bytes) -> bytes:
    return answer[:at] + bytes([byte]) + answer[at + 1 :]


def damages(length: int) -> Iterator[Damage]:
    """Every cut, every byte left out, and every byte replaced by each of `BYTES`."""
    for place in range(length):
        yield partial(cut, place)
        yield partial(without, place)
        for byte in BYTES:
            yield partial(replaced, place, byte)


@dataclass
class DamagedConnection:
    """A PIX manager without a socket. The answer of this number is damaged; `lengths` are those of all."""

    number: int = -1
    damage: Damage = bytes
    lengths: list[int] = field(default_factory=list)
    made: dict[bytes, bytes] = field(default_factory=dict)

    def exchange(self, message: bytes, _: Deadline) -> bytes:
        key = re.sub(rb"\|\d{14}\+0000\|", b"||", message)
        if key not in self.made:
            self.made[key] = QueryResponder(PEOPLE).answer(message)
        answer = self.made[key]
        self.lengths.append(len(answer))
        return self.damage(answer) if len(self.lengths) - 1 == self.number else answer

    def close(self) -> None:
        """Nothing is open."""


@cache
def fhir_server() -> Flask:
    """The simulator, made once: its routes take longer than an answer."""
    return create_app(Patients(PEOPLE), Directory(SEEDS))


@dataclass
class DamagedServer:
    """A FHIR server without a socket, whose answers are made once."""

    number: int = -1
    damage: Damage = bytes
    lengths: list[int] = field(default_factory=list)
    made: dict[tuple[str, ...], tuple[int, bytes]] = field(default_factory=dict)

    def get(self, path: str, parameters: Any, _: Deadline) -> FhirResponse:
        return self._answered("get", path, parameters)

    def search(self, kind: str, parameters: Any, _: Deadline) -> FhirResponse:
        return self._answered("get", kind, parameters)

    def close(self) -> None:
        """Nothing is open."""

    def _answered(self, method: str, path: str, parameters: Any) -> FhirResponse:
        key = (method, path, *map(str, parameters))
        if key not in self.made:
            reply = fhir_server().test_client().get(f"/fhir/{path}", query_string=parameters)
            self.made[key] = (reply.status_code, reply.data)
        status, body = self.made[key]
        self.lengths.append(len(body))
        return FhirResponse(
            status, _object(self.damage(body) if len(self.lengths) - 1 == self.number else body)
        )


def pix_client(
    number: int = -1, damage: Damage = bytes, made: Any = None
) -> tuple[Any, DamagedConnection]:
    line = DamagedConnection(number, damage, made={} if made is None else made)
    actor = pix_pdq.Actor(line, Parties("A", "B", "C", "D"))  # type: ignore[arg-type]
    return pix_pdq.PixPdqMpiClient(actor, actor, AssigningAuthority("REGION"), Breaker("x")), line


def fhir_client(
    number: int = -1, damage: Damage = bytes, made: Any = None
) -> tuple[Any, DamagedServer]:
    server = DamagedServer(number, damage, made={} if made is None else made)
    systems = {domain.namespace: system_of(domain) for domain in PEOPLE.domains}
    settings = MpiSettings(domain=region_system(PEOPLE), systems=systems)
    return fhir.FhirMpiClient(server, settings, Breaker("x")), server  # type: ignore[arg-type]


def outcome(client: Any, identifier: PatientIdentifier, patient: Patient) -> str:
    """The patient's id, `nobody`, or the name of the error."""
    usable, _ = usable_identifiers([identifier], ASSERTED)
    try:
        found = client.find(usable, patient)
        return agreeing(patient, found).record.patient_id if found else "nobody"
    except (EnsError, DomainUnknownError) as error:
        return type(error).__name__


CASES = {
    "found": (northgen("H00412"), OKAFOR, "p-okafor"),
    "merged": (northgen("H00977"), OKAFOR, "p-okafor"),
    "id of our domain": (PatientIdentifier("p-okafor", "REGION"), OKAFOR, "p-okafor"),
    "several": (northgen("H00850"), LIND, "IdentityAmbiguousError"),
    "unknown": (northgen("H99999"), OKAFOR, "nobody"),
    "domain unknown": (PatientIdentifier("1", "MARS"), OKAFOR, "DomainUnknownError"),
}
ERRORS = {
    *("DependencyUnavailableError", "IdentityConflictError", "IdentityAmbiguousError"),
    *("ConfigurationError", "DomainUnknownError"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("make", [pix_client, fhir_client])
def test_a_damaged_answer_is_never_a_wrong_patient_and_never_nobody(
    monkeypatch: pytest.MonkeyPatch, make: Any, case: str
) -> None:
    monkeypatch.setattr(pix_pdq, "TRIES", 1)
    monkeypatch.setattr(pix_pdq, "_new_id", lambda: "1")
    identifier, patient, expected = CASES[case]
    client, line = make()
    assert outcome(client, identifier, patient) == expected
    found: dict[str, int] = {}
    for number, length in enumerate(line.lengths):
        for damage in damages(length):
            client, _ = make(number, damage, line.made)
            result = outcome(client, identifier, patient)
            found[result] = found.get(result, 0) + 1
    assert set(found) <= {expected, *ERRORS}, found
