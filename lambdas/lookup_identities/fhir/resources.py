"""The parts of FHIR's resources that are read, as types.

A resource that does not fit is a broken answer: cut off or changed on the way. FHIR allows no members
that it does not define, so that a damaged name is noticed too (FHIR R4, "JSON representation").
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from lambdas.lookup_identities.fhir.references import Document
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError

T = TypeVar("T")

_FHIR = tomllib.loads(Path(__file__).with_name("members.toml").read_text("utf-8"))
_RESOURCE = set(_FHIR["Resource"])
_DOMAIN_RESOURCE = _RESOURCE.union(_FHIR["DomainResource"])
MEMBERS = {
    **{name: _RESOURCE.union(own) for name, own in _FHIR["resources"].items()},
    **{name: _DOMAIN_RESOURCE.union(own) for name, own in _FHIR["domain_resources"].items()},
}
"""The members that FHIR R4 defines; `_name` holds extensions of a primitive `name`."""

DIRECTORY = ("Practitioner", "PractitionerRole", "Organization", "Endpoint")
"""The types of resource that a provider directory is asked for."""


class FhirPart(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a resource. Its members have FHIR's names in JSON; `repr` shows none of their values.

    https://jcristharif.com/msgspec/structs.html#renaming-fields
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class FhirIdentifier(FhirPart, frozen=True):
    """An identifier of a patient. One that is out of use has `use` old."""

    system: str = ""
    value: str = ""
    use: str = ""


class FhirName(FhirPart, frozen=True):
    """A HumanName."""

    use: str = ""
    family: str = ""
    given: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()


class FhirReference(FhirPart, frozen=True):
    """A Reference to another resource, by its address."""

    reference: str

    @property
    def target(self) -> str:
        """Type and id, as `Practitioner/x`, also of a version-specific reference; else the address as it is."""
        return self.reference.partition("/_history/")[0]


class FhirLink(FhirPart, frozen=True):
    """A link of a patient to another one."""

    other: FhirReference
    type: Literal["replaced-by", "replaces", "refer", "seealso"]


class FhirPatient(FhirPart, frozen=True):
    """A Patient resource."""

    id: str = ""
    active: bool = True
    identifier: tuple[FhirIdentifier, ...] = ()
    name: tuple[FhirName, ...] = ()
    gender: Literal["", "male", "female", "other", "unknown"] = ""
    birth_date: str = ""
    link: tuple[FhirLink, ...] = ()


class FhirPeriod(FhirPart, frozen=True):
    """A Period; "" for an open end."""

    start: str = ""
    end: str = ""

    def holds(self, day: str) -> bool:
        """Whether a day (YYYY-MM-DD) is within it, as far as its dates go."""
        end = self.end[:10]
        return self.start[:10] <= day and (not end or day[: len(end)] <= end)


class DirectoryReference(FhirReference, frozen=True):
    """A Reference of a directory's resource, "" for one that gives no address."""

    reference: str = ""


class FhirPractitioner(FhirPart, frozen=True):
    """A Practitioner resource."""

    id: str
    active: bool = True
    identifier: tuple[FhirIdentifier, ...] = ()
    name: tuple[FhirName, ...] = ()


class FhirPractitionerRole(FhirPart, frozen=True):
    """A PractitionerRole resource."""

    active: bool = True
    period: FhirPeriod = FhirPeriod()
    practitioner: DirectoryReference = DirectoryReference()
    organization: DirectoryReference = DirectoryReference()
    endpoint: tuple[DirectoryReference, ...] = ()


class FhirOrganization(FhirPart, frozen=True):
    """An Organization resource."""

    id: str
    active: bool = True
    identifier: tuple[FhirIdentifier, ...] = ()
    endpoint: tuple[DirectoryReference, ...] = ()


class FhirCoding(FhirPart, frozen=True):
    """A Coding."""

    code: str = ""


class FhirEndpoint(FhirPart, frozen=True):
    """An Endpoint resource."""

    id: str
    status: str = ""
    period: FhirPeriod = FhirPeriod()
    connection_type: FhirCoding = FhirCoding()
    address: str = ""


class Parameter(FhirPart, frozen=True):
    """A parameter of an operation's answer; `$ihe-pix` has these two (PIXm 2:3.83.4.2.2)."""

    name: Literal["targetIdentifier", "targetId"]
    value_identifier: FhirIdentifier | None = None


class FhirParameters(FhirPart, frozen=True):
    """A Parameters resource."""

    parameter: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A patient of a bundle, and the grades of the match (`$match` only)."""

    patient: FhirPatient
    grades: frozenset[str]


INCOMPLETE = frozenset(
    {"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"}
)
"""Codes of an issue by which a server says that its answer is not whole (FHIR R4, value set issue-type)."""

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


class _Extension(FhirPart, frozen=True):
    url: str = ""
    value_code: str = ""


class _Search(FhirPart, frozen=True):
    extension: tuple[_Extension, ...] = ()


class _BundleEntry(FhirPart, frozen=True):
    resource: Document
    search: _Search = _Search()


class _BundleLink(FhirPart, frozen=True):
    relation: str
    url: str


@dataclass(frozen=True, slots=True)
class PatientBundle:
    """The patients of a searchset bundle, its own address and whether another page follows."""

    found: tuple[Found, ...]
    self_link: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class DirectoryResources:
    """The resources of a provider directory's pages by type, and the address of the next one, "" for none."""

    practitioners: tuple[FhirPractitioner, ...] = ()
    roles: tuple[FhirPractitionerRole, ...] = ()
    organizations: tuple[FhirOrganization, ...] = ()
    endpoints: tuple[FhirEndpoint, ...] = ()
    next_page: str = ""

    def linked(self, references: Iterable[DirectoryReference]) -> list[FhirEndpoint]:
        """The endpoints among these to which the references lead."""
        known = {f"Endpoint/{one.id}": one for one in self.endpoints}
        return [known[one.target] for one in references if one.target in known]


class _Issue(FhirPart, frozen=True):
    severity: str = ""
    code: str = ""


class _OperationOutcome(FhirPart, frozen=True):
    issue: tuple[_Issue, ...] = ()


class _Bundle(FhirPart, frozen=True):
    total: int | None = None
    link: tuple[_BundleLink, ...] = ()
    entry: tuple[_BundleEntry, ...] = ()


def read_patient(document: Document) -> FhirPatient:
    """The Patient. Raises `BrokenAnswerError` for another resource, or one that does not fit."""
    return _read(document, FhirPatient, "Patient")


def read_parameters(document: Document) -> FhirParameters:
    """The Parameters. Raises `BrokenAnswerError` for another resource, or one that does not fit."""
    return _read(document, FhirParameters, "Parameters")


def read_bundle(document: Document) -> PatientBundle:
    """The patients of a Bundle. Raises `BrokenAnswerError` for another resource, or one that does not fit.

    An OperationOutcome among the entries only warns, unless it says that the answer is incomplete.
    """
    bundle = _read_whole(document)
    links = {link.relation: link.url for link in bundle.link}
    patients = [
        entry for entry in bundle.entry if entry.resource.get("resourceType") != "OperationOutcome"
    ]
    if bundle.total is not None and bundle.total != len(patients) and "next" not in links:
        raise BrokenAnswerError("a Bundle does not have as many entries as its total")
    if not patients and "next" in links:
        raise BrokenAnswerError("a first page without an entry")
    return PatientBundle(
        found=tuple(
            Found(
                read_patient(entry.resource),
                frozenset(one.value_code for one in entry.search.extension if one.url == GRADE),
            )
            for entry in patients
        ),
        self_link=links.get("self", ""),
        has_more="next" in links,
    )


def read_directory(pages: Sequence[Document]) -> DirectoryResources:
    """The resources of a search's Bundles, in order. Raises `BrokenAnswerError` for another resource, or one that does not fit.

    An OperationOutcome among the entries is read as by `read_bundle`.
    """
    bundles = [_read_whole(page) for page in pages]
    resources = [entry.resource for bundle in bundles for entry in bundle.entry]
    expected = (*DIRECTORY, "OperationOutcome")
    if not all(one.get("resourceType") in expected for one in resources):
        raise BrokenAnswerError("a Bundle with a type of resource that was not asked for")

    def of(resource_type: str, kind: type[T]) -> tuple[T, ...]:
        found = (one for one in resources if one.get("resourceType") == resource_type)
        return tuple(_read(one, kind, resource_type) for one in found)

    return DirectoryResources(
        of("Practitioner", FhirPractitioner),
        of("PractitionerRole", FhirPractitionerRole),
        of("Organization", FhirOrganization),
        of("Endpoint", FhirEndpoint),
        next_page=next((one.url for one in bundles[-1].link if one.relation == "next"), ""),
    )


def _read_whole(document: Document) -> _Bundle:
    """The Bundle. Raises `BrokenAnswerError` also where an OperationOutcome says that entries may lack."""
    bundle = _read(document, _Bundle, "Bundle")
    for entry in bundle.entry:
        if entry.resource.get("resourceType") == "OperationOutcome":
            for issue in _read(entry.resource, _OperationOutcome, "OperationOutcome").issue:
                if issue.severity in ("fatal", "error") or issue.code in INCOMPLETE:
                    raise BrokenAnswerError("a Bundle that is incomplete by its OperationOutcome")
    return bundle


def _read(document: Document, kind: type[T], resource_type: str) -> T:
    if document.get("resourceType") != resource_type:
        raise BrokenAnswerError(f"no {resource_type}")
    if {name.removeprefix("_") for name in document} - MEMBERS[resource_type]:
        raise BrokenAnswerError(f"a {resource_type} with members that FHIR does not define")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError:
        raise BrokenAnswerError(f"a {resource_type} whose members are not of their types") from None
