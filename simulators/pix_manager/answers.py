"""Builds the answer to a query: RSP^K23, RSP^K22, or an error.

Tables of IHE ITI TF-2 3.9.4.2.2.6 (six cases) and 3.21.4.2.2.6; HL7 table 0357 for the rest.
"""

import itertools
import re
from datetime import UTC, datetime

from hl7 import er7
from hl7.er7 import Segment, Value
from hl7.escapes import STANDARD_ESCAPES
from hl7.tables import MESSAGE_ERRORS
from simulators.pix_manager.people import REGION, KnownAuthority, SimulatedPatients

UNSUPPORTED_TYPE, UNSUPPORTED_EVENT, UNSUPPORTED_VERSION = 200, 201, 203
SEQUENCE, REQUIRED, UNKNOWN_KEY = 100, 101, 204
PARAMETER = re.compile(r"@(PID|PD1)\.(\d+)(?:\.(\d+)(?:\.(\d+))?)?")
BARE = {"7", "8"}
"""Fields of PID whose data type has no components (PID-7 is DTM in the profile for 2.5)."""

CANCEL = "QCN^J01^QCN_J01"
NAMES = {
    "QBP^Q23^QBP_Q21": "RSP^K23^RSP_K23",
    "QBP^Q22^QBP_Q21": "RSP^K22^RSP_K21",
    CANCEL: "ACK^J01^ACK",
}
QUERY = ["MSH", "QPD", "RCP"]
SEGMENTS = {
    "QBP^Q23^QBP_Q21": [QUERY],
    "QBP^Q22^QBP_Q21": [QUERY, [*QUERY, "DSC"]],
    CANCEL: [["MSH", "QID"]],
}

escaped = STANDARD_ESCAPES.encode


class RefusalError(Exception):
    """Raised for a query that is not accepted: an error code (HL7 table 0357) and its location."""

    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"{code} at {place}")
        self.code, self.place = code, place


class QueryResponder:
    """Answers queries about patients. It stores the MSH-10s seen and the remaining pages of each query.

    The first `empty_pages` PDQ pages have no patient, like those of an MPI that is still searching.
    """

    def __init__(self, people: SimulatedPatients) -> None:
        self._people = people
        self._numbers = itertools.count(1)
        self._seen: set[str] = set()
        self._owed: dict[str, tuple[str, list[str]]] = {}
        self.empty_pages = 0

    def answer(self, raw: bytes) -> bytes:
        """Returns the whole answer. Raises `ValueError` for bytes that are not an HL7 message."""
        found = er7.read(raw).every_segment
        header, by_name = found[0], {segment.name: segment for segment in found}
        try:
            self._accept(header, found)
            lines = self._lines(header.field(9), by_name)
        except RefusalError as refusal:
            lines = [self._msa("AR", header), _err(refusal.place, refusal.code)]
        else:
            lines[0] = self._msa(lines[0], header)
        return er7.write([self._header(header), *lines])

    def _lines(self, message_type: str, by_name: dict[str, Segment]) -> list[str]:
        if message_type == CANCEL:
            return self._cancelled(by_name["QID"])
        qpd, rcp = by_name["QPD"], by_name["RCP"]
        is_pix = message_type.startswith("QBP^Q23")
        if qpd.field(1) != ("IHE PIX Query" if is_pix else "IHE PDQ Query"):
            raise RefusalError(REQUIRED, "QPD^1^1")
        if not qpd.part(2) or not qpd.field(3):
            raise RefusalError(REQUIRED, "QPD^1^2" if not qpd.part(2) else "QPD^1^3")
        if rcp.part(1) != "I":
            raise RefusalError(REQUIRED, "RCP^1^1")
        return self._pix(qpd) if is_pix else self._pdq(qpd, by_name)

    def _accept(self, header: Segment, found: list[Segment]) -> None:
        """Raises `RefusalError` for a message other than the three queries."""
        control_id, message_type = header.part(10), header.field(9)
        if not message_type.startswith(("QBP^", "QCN^")):
            raise RefusalError(UNSUPPORTED_TYPE, "MSH^1^9")
        if message_type not in NAMES:
            raise RefusalError(UNSUPPORTED_EVENT, "MSH^1^9")
        if header.part(12) != "2.5":
            raise RefusalError(UNSUPPORTED_VERSION, "MSH^1^12")
        if not control_id or control_id in self._seen:
            raise RefusalError(REQUIRED, "MSH^1^10")
        self._seen.add(control_id)
        if [segment.name for segment in found] not in SEGMENTS[message_type]:
            raise RefusalError(SEQUENCE, "MSH^1")

    # -- ITI-9

    def _pix(self, qpd: Segment) -> list[str]:
        if len(qpd.repetitions(3)) != 1 or not qpd.part(3):
            raise RefusalError(REQUIRED, "QPD^1^3")
        source = self._domain(qpd.first(3))
        if source is None:
            return self._error(qpd, ["QPD^1^3^1^4"])
        targets, unknown = self._targets(qpd, 4)
        if unknown:
            return self._error(qpd, unknown)
        bearers = self._people.bearing(source, qpd.part(3))
        if not bearers:
            return self._error(qpd, ["QPD^1^3^1^1"])
        asked = (source, qpd.part(3))
        known = [
            pair
            for patient_id in bearers
            for pair in self._people.identifiers(patient_id)
            if pair != asked and (not targets or pair[0] in targets)
        ]
        if not known:
            return ["AA", *self._echo(qpd, "NF")]
        known.sort(key=lambda pair: pair[0].namespace)  # grouped by domain (case 6)
        return ["AA", *self._echo(qpd, "OK"), f"PID|||{_repeated(known)}||~^^^^^^S"]

    # -- ITI-21

    def _pdq(self, qpd: Segment, by_name: dict[str, Segment]) -> list[str]:
        if any(qpd.field(number) for number in (4, 5, 6, 7)):
            raise RefusalError(REQUIRED, "QPD^1^4")
        wanted = self._parameters(qpd)
        targets, unknown = self._targets(qpd, 8)
        if unknown:
            return self._error(qpd, unknown)
        size = int(by_name["RCP"].part(2) or "0") or 1000
        if "DSC" in by_name:
            tag, left = self._owed.pop(by_name["DSC"].part(1), ("", []))
            if tag != qpd.part(2):
                raise RefusalError(REQUIRED, "DSC^1^1")
        else:
            left = self._matching(wanted, targets)
        if self.empty_pages:
            self.empty_pages, size = self.empty_pages - 1, 0
        page, rest = left[:size], left[size:]
        lines = ["AA", *self._echo(qpd, "OK" if left else "NF")]
        lines += [
            self._pid(number, patient_id, targets)
            for number, patient_id in enumerate(page, start=1)
        ]
        if rest:
            pointer = f"CP-{next(self._numbers):06}"
            self._owed[pointer] = (qpd.part(2), rest)
            lines.append(f"DSC|{pointer}|I")
        return lines

    def _cancelled(self, qid: Segment) -> list[str]:
        """Answers QCN^J01: deletes the remaining pages of a query. Raises `RefusalError` if there are none."""
        if qid.part(2) != "IHE PDQ Query":
            raise RefusalError(REQUIRED, "QID^1^2")
        pointers = [known for known, (tag, _) in self._owed.items() if tag == qid.part(1)]
        if not pointers:
            raise RefusalError(UNKNOWN_KEY, "QID^1^1")
        for pointer in pointers:
            del self._owed[pointer]
        return ["AA"]

    def _parameters(self, qpd: Segment) -> dict[str, str]:
        wanted = {}
        for parameter in qpd.repetitions(3):
            name, value = parameter.part(1), parameter.part(2)
            found = PARAMETER.fullmatch(name)
            if not found or not value or (found[2] in BARE and found[3] and found[2] == "8"):
                raise RefusalError(REQUIRED, "QPD^1^3")
            wanted[name] = value
        has_authority = any(name.startswith("@PID.3.4") for name in wanted)
        if "@PID.3.1" in wanted and not has_authority:
            raise RefusalError(REQUIRED, "QPD^1^3")
        return wanted

    def _matching(self, wanted: dict[str, str], targets: list[KnownAuthority]) -> list[str]:
        names = (f"@PID.3.4.{number}" for number in (1, 2, 3))
        namespace, universal_id, kind = (wanted.get(name, "") for name in names)
        domain = self._people.domain(
            namespace or wanted.get("@PID.3.4", ""), universal_id, kind or "ISO"
        )
        found: dict[str, None] = {}
        for patient_id in self._people.patients:
            survivor = self._people.survivor(patient_id)
            own = {
                value for known, value in self._people.identifiers(patient_id) if known is domain
            }
            if "@PID.3.1" in wanted and wanted["@PID.3.1"] not in own:
                continue
            if all(
                _same(survivor[column], wanted[name])
                for name, column in (
                    ("@PID.5.1.1", "family"),
                    ("@PID.5.2", "given"),
                    ("@PID.7.1", "birth_date"),
                    ("@PID.7", "birth_date"),
                    ("@PID.8", "sex"),
                )
                if name in wanted
            ):
                found[survivor["patient_id"]] = None
        return [known for known in found if self._listed(known, targets)]

    def _listed(
        self, patient_id: str, targets: list[KnownAuthority]
    ) -> list[tuple[KnownAuthority, str]]:
        known = self._people.identifiers(patient_id)
        return [pair for pair in known if not targets or pair[0] in targets]

    def _pid(self, number: int, patient_id: str, targets: list[KnownAuthority]) -> str:
        row = self._people.patients[patient_id]
        names = [f"{escaped(row['family'])}^{escaped(row['given'])}^^^^^L"]
        names += [f"{escaped(name)}^^^^^^M" for name in self._people.former_families(row)]
        ids = _repeated(self._listed(patient_id, targets))
        birth = row["birth_date"].replace("-", "")
        return f"PID|{number}||{ids}||{'~'.join(names)}||{birth}|{row['sex']}"

    # -- both

    def _domain(self, identifier: Value) -> KnownAuthority | None:
        parts = [identifier.part(4, number) for number in (1, 2, 3)]
        return self._people.domain(parts[0], parts[1], parts[2] or "ISO")

    def _targets(self, qpd: Segment, number: int) -> tuple[list[KnownAuthority], list[str]]:
        """Returns the domains in What Domains Returned. Raises `RefusalError` with the locations of unknown ones."""
        known, unknown = [], []
        for place, asked in enumerate(qpd.repetitions(number), start=1):
            domain = self._domain(asked)
            if any(asked.part(component) for component in (1, 2, 3, 5)):
                raise RefusalError(REQUIRED, f"QPD^1^{number}^{place}")
            if domain is None:
                unknown.append(f"QPD^1^{number}^{place}")
            else:
                known.append(domain)
        return known, unknown

    def _error(self, qpd: Segment, places: list[str]) -> list[str]:
        return ["AE", *(_err(place, UNKNOWN_KEY) for place in places), *self._echo(qpd, "AE")]

    def _echo(self, qpd: Segment, status: str) -> list[str]:
        return [f"QAK|{qpd.field(2)}|{status}", qpd.raw]

    def _msa(self, code: str, header: Segment) -> str:
        return f"MSA|{code}|{header.field(10)}"

    def _header(self, header: Segment) -> str:
        moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        parties = "|".join(header.field(number) for number in (5, 6, 3, 4))
        name = NAMES.get(header.field(9), "ACK")
        return (
            f"MSH|^~\\&|{parties}|{moment}||{name}|MPI-{next(self._numbers)}|P|2.5"
            "||||||UNICODE UTF-8"
        )


def _err(place: str, code: int) -> str:
    return f"ERR||{place}|{code}^{MESSAGE_ERRORS[code]}^HL70357|E"


def _repeated(pairs: list[tuple[KnownAuthority, str]]) -> str:
    return "~".join(
        f"{escaped(value)}^^^{domain.hd()}^{'PI' if domain.namespace == REGION else 'MR'}"
        for domain, value in pairs
    )


def _same(known: str, asked: str) -> bool:
    return known.replace("-", "").casefold() == asked.replace("-", "").casefold()
