"""Every case of a look-up and its outcome, the same for every index that may be in use.

PIX's six cases and those of PDQ; PIXm and PDQm say the same by other means. A registry has no domains,
and files no id of its own as an identifier: what it does not file is not found.
"""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.errors import EnsError
from lambdas.lookup_identities import resolving
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError, outcome_of
from lambdas.registry import table as tables
from lambdas.registry.records import Match
from simulators.pix_manager import PixManager
from tests.functional.lambdas.lookup_identities.conftest import mpi_sandbox
from tests.functional.lambdas.lookup_identities.world import northgen
from tests.support.authorities import ASSERTED
from tests.support.fhir_index import fhir_index
from tests.support.registry import SEEDS

Find = Callable[..., Match | None]
MARS = PatientIdentifier("1", "MARS")

# case -> identifiers, then the outcome of registry, pixpdq, fhir
CASES: dict[str, tuple[tuple[PatientIdentifier, ...], str, str, str]] = {
    "PIX 1: one id in our domain": ((northgen("H00412"),), *("matched",) * 3),
    "PIX 3: id unknown in a known domain": ((northgen("H99999"),), *("not_found",) * 3),
    "PIX 4: domain of the id unknown": ((MARS,), "not_found", "domain_unknown", "domain_unknown"),
    "PIX 4, beside an id that is known": ((northgen("H00412"), MARS), *("matched",) * 3),
    "PIX 4, beside an id that is not": ((northgen("H99999"), MARS), *("not_found",) * 3),
    "PIX 6: several ids in our domain": ((northgen("H00850"),), *("ambiguous",) * 3),
    "two ids of one patient": (
        (northgen("H00412"), PatientIdentifier("H00412", "2.16.840.1.113883.3.9999.11")),
        *("matched",) * 3,
    ),
    "two ids of two patients": ((northgen("H00412"), northgen("H00533")), *("conflict",) * 3),
    "an id from before a merge": ((northgen("H00977"),), *("matched",) * 3),
    "ids from before a merge and of the survivor": (
        (northgen("H00977"), northgen("H00412")),
        *("matched",) * 3,
    ),
    "authority by its OID alone": (
        (PatientIdentifier("H00412", universal_id="2.16.840.1.113883.3.9999.11"),),
        *("matched",) * 3,
    ),
    "PDQ 2: an id of our own domain": (
        (PatientIdentifier("p-okafor", "REGION"),),
        *("not_found", "matched", "matched"),
    ),
    "PDQ 3: no match": (
        (PatientIdentifier("p-nobody", "REGION"),),
        *("not_found", "not_found", "not_found"),
    ),
    "no id that can be asked for": ((), *("not_found",) * 3),
}


def tell(monkeypatch: pytest.MonkeyPatch, backend: str, **settings: Any) -> None:
    monkeypatch.setenv("ENS_MPI_CLIENT", backend)
    monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps(settings))


def in_registry(context: LookupContext, usable: Any, _: Patient) -> Match | None:
    filed = tables.filed_under(context, (pair for known in usable for pair in known.pairs()), ())
    return resolving._in_registry(context, usable, filed, ())[0]


@pytest.fixture(params=["registry", "pixpdq", "fhir"])
def backend(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Find]]:
    """The name of a backend and its `find`, its index running."""
    name = request.param
    if name == "registry":
        request.getfixturevalue("registry")
        context = request.getfixturevalue("context")
        yield name, partial(in_registry, context)
    elif name == "pixpdq":
        index = PixManager(SEEDS).start()
        tell(monkeypatch, name, host="127.0.0.1", port=index.port, domain="REGION")
        yield name, ask_mpi
        mpi_sandbox.end()
        index.stop()
    else:
        with fhir_index() as running:
            tell(monkeypatch, name, **running.settings)
            yield name, ask_mpi
            mpi_sandbox.end()


def ask_mpi(usable: Any, patient: Patient) -> Match | None:
    """The answer of the configured MPI."""
    asked = mpi_sandbox.context.mpi_client
    assert asked is not None
    return asked.find(usable, patient)


def test_every_case_has_its_outcome_whatever_the_index(
    environment: dict[str, str], backend: tuple[str, Find]
) -> None:
    name, find = backend
    column = {"registry": 1, "pixpdq": 2, "fhir": 3}[name]
    outcomes, expected = {}, {}
    for case, row in CASES.items():
        usable, _ = usable_identifiers(row[0], ASSERTED)
        found: Match | Exception | None
        try:
            found = find(usable, Patient())
        except (EnsError, DomainUnknownError) as error:
            found = error
        outcomes[case], expected[case] = outcome_of(found), row[column]
        if isinstance(found, Match):
            assert found.record.patient_id == "p-okafor", case
            merged = ("p-okafor-old",) if "merge" in case else ()
            assert found.merged_from == merged, case
    assert outcomes == expected


# setting -> its value for pixpdq and fhir, and the outcome of asking for a patient whom they know
SETTINGS = {
    "PIX 2: known, but no id in our domain": (
        ("domain", "aa", "https://mpi.example/aa"),
        "not_found",
    ),
    "PIX 5: our domain unknown": (("domain", "NOWHERE", "urn:oid:1.2.3"), "domain_unknown"),
    "index not there": (("", "", ""), "unavailable"),
}


@pytest.mark.parametrize("case", list(SETTINGS))
@pytest.mark.parametrize("backend", ["pixpdq", "fhir"], indirect=True)
def test_what_depends_on_the_settings_has_its_outcome_too(
    environment: dict[str, str],
    backend: tuple[str, Find],
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    name, find = backend
    (setting, in_pix, in_fhir), outcome = SETTINGS[case]
    told = json.loads(os.environ["ENS_MPI_SETTINGS"])
    if setting:
        told[setting] = in_pix if name == "pixpdq" else in_fhir
    else:
        told.update(port=1, base_url="http://127.0.0.1:1/fhir")
    tell(monkeypatch, name, **told)
    usable, _ = usable_identifiers([northgen("H00412")], ASSERTED)
    found: Match | Exception | None
    try:
        found = find(usable, Patient())
    except (EnsError, DomainUnknownError) as error:
        found = error
    assert outcome_of(found) == outcome
