"""The queries as messages: PIX Query (ITI-9, QBP^Q23) and PDQ (ITI-21, QBP^Q22), HL7 2.5.

QCN^J01 declines PDQ's further pages. IHE ITI TF-2 3.9.4.1 and 3.21.4.1.
"""

import re
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import Self

from hl7 import er7
from hl7.delimiters import STANDARD
from hl7.escapes import STANDARD_ESCAPES

escaped = STANDARD_ESCAPES.encode
OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+")
PAGE = 10
"""Patients that one answer may hold (RCP-2)."""


@dataclass(frozen=True, slots=True)
class AssigningAuthority:
    """An assigning authority: namespace, universal id, or both."""

    namespace: str = field(repr=False, default="")
    universal_id: str = field(repr=False, default="")

    @classmethod
    def of(cls, authorities: tuple[str, ...]) -> Self:
        """The domain of an identifier's authorities; one that is an OID is the universal id."""
        oids = [name for name in authorities if OID.fullmatch(name)]
        names = [name for name in authorities if not OID.fullmatch(name)]
        return cls("".join(names[:1]), "".join(oids[:1]))

    def text(self) -> str:
        """The domain as HD in a component: `NORTHGEN&2.16.840…&ISO`, `NORTHGEN`, or `&2.16.840…&ISO`."""
        if not self.universal_id:
            return escaped(self.namespace)
        return f"{escaped(self.namespace)}&{escaped(self.universal_id)}&ISO"

    def is_same(self, other: "AssigningAuthority") -> bool:
        """Whether an authority is this one: by the universal id where both have it, else by name."""
        if self.universal_id and other.universal_id:
            return self.universal_id == other.universal_id
        return bool(self.namespace) and self.namespace == other.namespace


@dataclass(frozen=True, slots=True)
class Parties:
    """The sending and receiving applications and facilities of a query: MSH-3 to MSH-6, in order."""

    application: str
    facility: str
    receiving_application: str
    receiving_facility: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The parts of one query's header and of its QPD-2 that tell it from every other query."""

    parties: Parties
    control_id: str
    tag: str


def pix_query(
    heading: Heading, identifier: str, authority: AssigningAuthority, domain: AssigningAuthority
) -> bytes:
    """ITI-9: asks for the ids of `domain` of the patient with this identifier of `authority`."""
    asked = f"{escaped(identifier)}^^^{authority.text()}"
    return er7.write(
        [
            _header(heading, "QBP^Q23^QBP_Q21", "ITI-9^IHE"),
            f"QPD|IHE PIX Query|{heading.tag}|{asked}|^^^{domain.text()}",
            "RCP|I",
        ]
    )


def pdq_query(
    heading: Heading, patient_id: str, own: AssigningAuthority, pointer: str = ""
) -> bytes:
    """ITI-21: asks for the demographics of the patient with this id of our own domain.

    `pointer` is DSC-1 of the page before: the same query with a new MSH-10 asks for the next one.
    HL7 has no escape for a wildcard, so that `usable_identifiers` leaves such identifiers out.
    """
    parameters = [f"@PID.3.1^{escaped(patient_id)}"]
    if own.namespace:
        parameters.append(f"@PID.3.4.1^{escaped(own.namespace)}")
    if own.universal_id:
        parameters += [f"@PID.3.4.2^{escaped(own.universal_id)}", "@PID.3.4.3^ISO"]
    segments = [
        _header(heading, "QBP^Q22^QBP_Q21", "ITI-21^IHE"),
        f"QPD|IHE PDQ Query|{heading.tag}|{'~'.join(parameters)}|||||^^^{own.text()}",
        f"RCP|I|{PAGE}^RD",
    ]
    return er7.write([*segments, f"DSC|{escaped(pointer)}|I"] if pointer else segments)


def cancellation(heading: Heading) -> bytes:
    """QCN^J01: no further page of the PDQ query with this tag is wanted (HL7 2.5 5.4.6, QID-1 = QAK-1)."""
    header = _header(heading, "QCN^J01^QCN_J01", "ITI-21^IHE")
    return er7.write([header, f"QID|{heading.tag}|IHE PDQ Query"])


def _header(heading: Heading, message_type: str, profile: str) -> str:
    moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    names = "|".join(map(escaped, astuple(heading.parties)))
    return (
        f"MSH|{STANDARD.encoding_characters.decode()}|{names}|{moment}||{message_type}|{heading.control_id}|P|2.5"
        f"||||||UNICODE UTF-8|||{profile}"
    )
