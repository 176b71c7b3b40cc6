"""The two queries as messages: PIX Query (ITI-9, QBP^Q23) and PDQ (ITI-21, QBP^Q22), HL7 2.5.

And QCN^J01, by which PDQ's further pages are declined.

IHE ITI TF-2 3.9.4.1 and 3.21.4.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from hl7 import er7
from hl7.delimiters import STANDARD
from hl7.escapes import STANDARD_ESCAPES
from lambdas.common.errors import ConfigurationError

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
    """The sending and receiving applications of a query, and the domain of the registry's ids."""

    application: str
    facility: str
    index_application: str
    index_facility: str
    domain: AssigningAuthority

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Self:
        """The parties in the settings of the backend; `ConfigurationError` when the domain is missing."""
        domain = AssigningAuthority(settings.get("domain", ""), settings.get("domain_oid", ""))
        if not domain.text():
            raise ConfigurationError("ENS_MPI_SETTINGS lacks domain or domain_oid")
        return cls(
            settings.get("application", "HL7ENS"),
            settings.get("facility", "HL7ENS"),
            settings.get("index_application", "MPI"),
            settings.get("index_facility", "MPI"),
            domain,
        )


def pix_query(
    parties: Parties, control_id: str, tag: str, identifier: str, domain: AssigningAuthority
) -> bytes:
    """ITI-9: which ids of our domain belong to the patient with this identifier."""
    asked = f"{escaped(identifier)}^^^{domain.text()}"
    return _message(
        _header(parties, "QBP^Q23^QBP_Q21", control_id, "ITI-9^IHE"),
        f"QPD|IHE PIX Query|{tag}|{asked}|^^^{parties.domain.text()}",
        "RCP|I",
    )


def pdq_query(
    parties: Parties, control_id: str, tag: str, patient_id: str, pointer: str = ""
) -> bytes:
    """ITI-21: the demographics of the patient with this id of our domain.

    `pointer` is DSC-1 of the page before: the same query with a new MSH-10 asks for the next one.
    """
    own = parties.domain
    parameters = [f"@PID.3.1^{escaped(patient_id)}"]
    if own.namespace:
        parameters.append(f"@PID.3.4.1^{escaped(own.namespace)}")
    if own.universal_id:
        parameters += [f"@PID.3.4.2^{escaped(own.universal_id)}", "@PID.3.4.3^ISO"]
    return _message(
        _header(parties, "QBP^Q22^QBP_Q21", control_id, "ITI-21^IHE"),
        f"QPD|IHE PDQ Query|{tag}|{'~'.join(parameters)}|||||^^^{own.text()}",
        f"RCP|I|{PAGE}^RD",
        *([f"DSC|{escaped(pointer)}|I"] if pointer else []),
    )


def cancellation(parties: Parties, control_id: str, tag: str) -> bytes:
    """QCN^J01: no further page of the PDQ query with this tag is wanted (HL7 2.5 5.4.6, QID-1 = QAK-1)."""
    return _message(
        _header(parties, "QCN^J01^QCN_J01", control_id, "ITI-21^IHE"), f"QID|{tag}|IHE PDQ Query"
    )


def _header(parties: Parties, message_type: str, control_id: str, profile: str) -> str:
    moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    names = "|".join(
        escaped(name)
        for name in (
            parties.application,
            parties.facility,
            parties.index_application,
            parties.index_facility,
        )
    )
    return (
        f"MSH|{STANDARD.encoding_characters.decode()}|{names}|{moment}||{message_type}|{control_id}|P|2.5"
        f"||||||UNICODE UTF-8|||{profile}"
    )


def _message(*segments: str) -> bytes:
    return er7.write(segments)
