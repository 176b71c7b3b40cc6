"""Reads the MPI's answers RSP^K23 (ITI-9) and RSP^K22 (ITI-21), with a result for each case.

IHE ITI TF-2 3.9.4.2.2.6 and 3.21.4.2.2. "AE" is not a failure: an id that the MPI does not know is
MSA-1 AE, QAK-2 AE and ERR-3 204 at QPD-3.1, and repeating it would load the MPI for every such patient.
An answer that is none of the cases, or lacks what its case brings, is `BrokenAnswerError`
(docs/adr/0211-answers-of-an-mpi-are-checked.md).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from hl7 import er7
from hl7.er7 import Segment, Value
from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.matching.identifiers import WILDCARDS
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError
from lambdas.lookup_identities.pix_pdq.queries import AssigningAuthority, Heading
from lambdas.registry.records import PatientRecord

UNKNOWN_KEY = "204"
REJECTED = frozenset({"100", "101", "102", "103", "104", "200", "201", "202", "203"})
"""Errors of HL7 table 0357 that the same query always causes: its form, type, event, version or values.

All others may pass, 206 (record locked), 207 (internal error) and none among them: an MPI that starts
again or is overloaded answers AE or AR.
"""


class PixCase(StrEnum):
    """The six cases of an answer to a PIX query (IHE ITI TF-2 3.9.4.2.2.6)."""

    FOUND = "found"
    NOTHING_IN_DOMAIN = "nothing_in_domain"
    UNKNOWN_ID = "unknown_id"
    UNKNOWN_SOURCE_DOMAIN = "unknown_source_domain"
    UNKNOWN_TARGET_DOMAIN = "unknown_target_domain"
    SEVERAL = "several"


class MismatchError(Exception):
    """An answer to another query, or no answer to one: the connection it came on cannot be trusted."""


@dataclass(frozen=True, slots=True)
class PixAnswer:
    """The case of ITI-9, and the ids in our domain."""

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


def pix_answer(raw: bytes, heading: Heading, domain: AssigningAuthority) -> PixAnswer:
    """The case of an answer to a PIX query.

    Raises `MismatchError`, `BrokenAnswerError`, `DependencyUnavailableError` for an MPI in trouble, and
    `ConfigurationError` for one that rejects the query.
    """
    answer = _checked(raw, heading, "K23")
    patients = answer.all("PID")
    if answer.is_case("AA", "NF") and not patients:
        return PixAnswer(PixCase.NOTHING_IN_DOMAIN)
    if answer.is_case("AA", "OK"):
        ids = tuple(dict.fromkeys(i for pid in patients for i in _ids(pid, domain)))
        if not ids or not all(_is_whole_pix(pid, domain) for pid in patients):
            raise BrokenAnswerError("OK to a PIX query without a whole PID-3 of our domain")
        if any(WILDCARDS.intersection(one) for one in ids):
            raise BrokenAnswerError("an id in PID-3 holds a wildcard")
        return PixAnswer(PixCase.SEVERAL if len(ids) > 1 else PixCase.FOUND, ids)
    if answer.is_case("AE", "AE"):
        places = answer.unknown_keys()
        if ("3", "4") in places:
            return PixAnswer(PixCase.UNKNOWN_SOURCE_DOMAIN)
        if any(number == "4" for number, _ in places):
            return PixAnswer(PixCase.UNKNOWN_TARGET_DOMAIN)
        if places == {("3", "1")}:
            return PixAnswer(PixCase.UNKNOWN_ID)
    raise answer.refusal()


def pdq_answer(raw: bytes, heading: Heading, domain: AssigningAuthority) -> PdqAnswer:
    """One page of an answer to a PDQ query; raises as `pix_answer` does."""
    answer = _checked(raw, heading, "K22")
    patients = answer.all("PID")
    if answer.is_case("AA", "NF") and not patients:
        return PdqAnswer()
    if answer.is_case("AE", "AE") and any(number == "8" for number, _ in answer.unknown_keys()):
        return PdqAnswer(domain_known=False)
    if not answer.is_case("AA", "OK"):
        raise answer.refusal()
    pointer = next((dsc.part(1) for dsc in answer.all("DSC")), "")
    if not patients and not pointer:
        raise BrokenAnswerError("OK to a PDQ query without a PID")
    for pid in patients:
        if not _ids(pid, domain) or not pid.field(5).strip("~^") or not answer.is_whole(pid, 8):
            raise BrokenAnswerError(
                "a PID of a PDQ answer lacks PID-3 of our domain or PID-5, or ends early"
            )
    return PdqAnswer(
        tuple(PdqPatient(_record(pid), _ids(pid, domain)) for pid in patients), pointer
    )


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
    ended: bool

    def is_case(self, code: str, status: str) -> bool:
        """Whether MSA-1 and QAK-2 are these."""
        return (self.code, self.status) == (code, status)

    def is_whole(self, segment: Segment, last: int) -> bool:
        """Whether a segment ends with its CR, or at least reaches the field `last`.

        Some systems leave out the CR behind the last segment.
        """
        return self.ended or segment is not self.segments[-1] or bool(segment.field(last))

    def all(self, name: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.name == name]

    def unknown_keys(self) -> set[tuple[str, str]]:
        """(field of QPD, component) of every ERR that says 204."""
        return {
            (error.part(2, 3), error.part(2, 5))
            for error in self.all("ERR")
            if error.part(3) == UNKNOWN_KEY and error.part(2) == "QPD"
        }

    def refusal(self) -> Exception:
        """The error for an answer that is none of its profile's cases."""
        codes = {error.part(3) for error in self.all("ERR")}
        if self.code not in ("AE", "AR", "CE", "CR"):
            return BrokenAnswerError("neither an error nor a whole answer")
        if codes and codes <= REJECTED:
            return ConfigurationError("the MPI rejects the query")
        if UNKNOWN_KEY in codes:
            return BrokenAnswerError("an unknown key (204) at no position of the query")
        return DependencyUnavailableError("the MPI could not answer")


def _checked(raw: bytes, heading: Heading, event: str) -> _Answer:
    """The answer, if it is one to this very query (MSA-2, QAK-1, MSH-9); else raises `MismatchError`."""
    check_acknowledged(raw, heading.control_id)
    found = _segments(raw)
    first = {segment.name: segment for segment in reversed(found)}
    header, query = first["MSH"], first.get("QAK")
    status = query.part(2) if query else ""
    answer = _Answer(found, first["MSA"].part(1), status, raw.rstrip(b" ").endswith(b"\r"))
    if query is None:
        raise answer.refusal()  # a plain ACK: the MPI rejected the message before it read the query
    if query.part(1) != heading.tag or (header.part(9), header.part(9, 2)) != ("RSP", event):
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


def _is_whole_pix(pid: Segment, domain: AssigningAuthority) -> bool:
    """Whether the PID is as 3.9.4.2.2.5 requires it: PID-3 of the domain asked for only, then PID-5.

    A repetition that names the domain twice has lost the delimiter between two.
    """
    names = {name for name in (domain.namespace, domain.universal_id) if name}
    for identifier in pid.repetitions(3):
        if not domain.is_same(AssigningAuthority(identifier.part(4, 1), identifier.part(4, 2))):
            return False
        later = (identifier.component(number) for number in range(5, 11))
        if any(names.intersection(re.split("[&\n]", one)) for one in later):
            return False
    return bool(pid.field(5))


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
