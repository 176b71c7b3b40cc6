"""Reads the MPI's answers RSP^K23 (ITI-9) and RSP^K22 (ITI-21), with a result for each case.

IHE ITI TF-2 3.9.4.2.2.6 and 3.21.4.2.2. "AE" is not a failure: an id that the index does not know is
MSA-1 AE, QAK-2 AE and ERR-3 204 at QPD-3.1, and asking again would hammer it for every such patient.
"""

from dataclasses import dataclass, field
from typing import Literal

from hl7 import er7
from hl7.er7 import Segment, Value
from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.pix_pdq.queries import AssigningAuthority
from lambdas.lookup_identities.registry.records import PatientRecord

PixCase = Literal[
    "found",
    "nothing_in_domain",
    "unknown_id",
    "unknown_source_domain",
    "unknown_target_domain",
    "several",
]

UNKNOWN_KEY = "204"
INTERNAL = ("", "206", "207")
"""Application errors of HL7 table 0357 that may pass: record locked, internal error; and none given."""


class MismatchError(Exception):
    """An answer to another query, or no answer to one: the connection it came on cannot be trusted."""


@dataclass(frozen=True, slots=True)
class PixAnswer:
    """The case of ITI-9 (one of six), and the ids in our domain."""

    case: PixCase
    ids: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class PdqPatient:
    """A patient of a PDQ answer: demographics, and every id in our domain."""

    record: PatientRecord = field(repr=False)
    ids: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PdqAnswer:
    """One page of ITI-21: the patients, and DSC-1 when there are more. `domain_known` is about QPD-8."""

    patients: tuple[PdqPatient, ...] = field(repr=False, default=())
    pointer: str = ""
    domain_known: bool = True


def pix_answer(raw: bytes, control_id: str, tag: str, domain: AssigningAuthority) -> PixAnswer:
    """The case of an answer to a PIX query.

    Raises `MismatchError`, `DependencyUnavailableError` for an index in trouble, and
    `ConfigurationError` for one that does not take the query.
    """
    answer = _checked(raw, control_id, tag, "K23")
    if answer.accepted:
        if answer.status == "NF":
            return PixAnswer("nothing_in_domain")
        ids = tuple(i for pid in answer.all("PID") for i in _ids(pid, domain))
        if not ids:
            return PixAnswer("nothing_in_domain")
        return PixAnswer("several" if len(ids) > 1 else "found", ids)
    places = answer.unknown_keys()
    if ("3", "4") in places:
        return PixAnswer("unknown_source_domain")
    if any(number == "4" for number, _ in places):
        return PixAnswer("unknown_target_domain")
    if any(number == "3" for number, _ in places):
        return PixAnswer("unknown_id")
    raise answer.refusal()


def pdq_answer(raw: bytes, control_id: str, tag: str, domain: AssigningAuthority) -> PdqAnswer:
    """One page of an answer to a PDQ query; raises as `pix_answer` does."""
    answer = _checked(raw, control_id, tag, "K22")
    if not answer.accepted:
        if any(number == "8" for number, _ in answer.unknown_keys()):
            return PdqAnswer(domain_known=False)
        raise answer.refusal()
    patients = tuple(PdqPatient(_record(pid), _ids(pid, domain)) for pid in answer.all("PID"))
    pointer = next((dsc.part(1) for dsc in answer.all("DSC")), "")
    return PdqAnswer(() if answer.status == "NF" else patients, pointer)


def check_acknowledged(raw: bytes, control_id: str) -> None:
    """Raises `MismatchError` unless the answer acknowledges this message, well or badly."""
    found = _segments(raw)
    acknowledged = next((segment for segment in found if segment.name == "MSA"), None)
    if acknowledged is None or acknowledged.part(2) != control_id:
        raise MismatchError


@dataclass(frozen=True, slots=True)
class _Answer:
    segments: list[Segment]
    code: str
    status: str

    @property
    def accepted(self) -> bool:
        return self.code == "AA" and self.status in ("OK", "NF")

    def all(self, name: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.name == name]

    def unknown_keys(self) -> set[tuple[str, str]]:
        """(field of QPD, component) of every ERR that says 204."""
        return {
            (error.part(2, 3), error.part(2, 5))
            for error in self.all("ERR")
            if error.part(3) == UNKNOWN_KEY and error.part(2) == "QPD"
        }

    def refusal(self) -> DependencyUnavailableError | ConfigurationError:
        codes = [error.part(3) for error in self.all("ERR")] or [""]
        if self.code in ("AE", "AA", "") and any(code in INTERNAL for code in codes):
            return DependencyUnavailableError("the index: it could not answer")
        return ConfigurationError("the index does not take the query")


def _checked(raw: bytes, control_id: str, tag: str, event: str) -> _Answer:
    """The answer, once it is sure that it is one to this very query (MSA-2, QAK-1, MSH-9)."""
    check_acknowledged(raw, control_id)
    found = _segments(raw)
    first = {segment.name: segment for segment in reversed(found)}
    header, query = first["MSH"], first.get("QAK")
    answer = _Answer(found, first["MSA"].part(1), query.part(2) if query else "")
    if query is None:
        raise answer.refusal()  # a plain ACK: the index refused before it looked
    if query.part(1) != tag or (header.part(9), header.part(9, 2)) != ("RSP", event):
        raise MismatchError
    return answer


def _segments(raw: bytes) -> list[Segment]:
    try:
        return er7.read(raw).every_segment
    except er7.Er7Error:
        raise MismatchError from None


def _ids(pid: Segment, domain: AssigningAuthority) -> tuple[str, ...]:
    found = (
        identifier.part(1)
        for identifier in pid.repetitions(3)
        if domain.is_same(AssigningAuthority(identifier.part(4, 1), identifier.part(4, 2)))
    )
    return tuple(dict.fromkeys(value for value in found if value))


def _record(pid: Segment) -> PatientRecord:
    names = [(name.part(7).upper(), name) for name in pid.repetitions(5)]
    usual: list[Value] = [
        *(name for name_type, name in names if name_type == "L"),
        *(name for name_type, name in names if name_type not in ("A", "M", "S")),
    ]
    birth = pid.part(7)
    return PatientRecord(
        patient_id="",
        family=usual[0].part(1, 1) if usual else "",
        given=usual[0].part(2) if usual else "",
        birth_date="-".join(piece for piece in (birth[:4], birth[4:6], birth[6:8]) if piece),
        sex=pid.part(8),
        former_families=tuple(name.part(1, 1) for name_type, name in names if name_type == "M"),
    )
