"""The coded fields of a feed: classes, dispositions, places and authorities, each with its values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from hl7.death import Evidence, is_nubc, of_disposition
from hl7.er7 import Message, Value
from hl7.tables import DISCHARGE_STATUSES
from hl7.warnings import MessageWarning
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.senders import SenderCodes
from lambdas.parse_message.values.codes import (
    ADMISSION_TYPES,
    OTHER,
    PATIENT_CLASSES,
    SEXES,
    CodeTable,
    read_code,
)
from lambdas.parse_message.values.composites import hierarchic
from ops.feed.checking.places import Place
from ops.feed.checking.shown_codes import (
    MAX_VALUES,
    CodeField,
    looks_like_a_text,
    looks_like_an_authority,
)

PRIVATE_FIELDS = {
    "PID": (2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 18, 19, 20, 21, 23, 29),
    "PD1": (3, 4),
    "NK1": (2, 4, 5, 6, 12, 13, 16, 30, 31, 32, 33),
    "MRG": (1, 2, 3, 4, 5, 6, 7),
    "PV1": (5, 7, 8, 9, 17, 19, 50, 52),
    "PV2": (3, 12, 13),
    "GT1": (2, 3, 4, 5, 6, 7, 8, 12),
    "IN1": (16, 18, 19, 36, 49),
    "NTE": (3,),
    "OBX": (5,),
    "DG1": (3, 4),
}
"""Fields that hold a person's name, number, address or date, or a free text."""

_DELIMITED = re.compile(r"[\^~&]")
DEATH = "death"

AddCode = Callable[..., None]
"""Counts a value of one message in one field: `CodeField.add` without what all its values share."""


def private_values(message: Message) -> frozenset[str]:
    """The components of a message's private fields, in small letters; of identifiers the authority is left out."""
    found: set[str] = set()
    for segment in message.segments:
        for number in PRIVATE_FIELDS.get(segment.name, ()):
            sent = segment.field(number)
            if sent:
                found.update(part.strip().casefold() for part in _DELIMITED.split(sent))
    found -= {authority.casefold() for authority in _authorities(message)}
    return frozenset(found)


def _authorities(message: Message) -> set[str]:
    pid = message.first("PID")
    found = {
        name
        for number in (2, 3, 4, 18)
        for value in pid.repetitions(number)
        for name in hierarchic(value, 4)
    }
    # CX.5 is the type of an identifier (table 0203), CX.6 the facility.
    return found | {value.code(5) for n in (3, 18) for value in pid.repetitions(n)}


@dataclass(slots=True)
class CodedFields:
    """The values of each coded field.

    Those of PV1-2, PV1-4 and PID-8 are the values that neither the sender's table nor the standard's has;
    `standard` counts the others. `dispositions` and `disposition_texts` are PV1-36 outside table 0112.
    """

    codes: SenderCodes
    classes: CodeField = field(default_factory=CodeField)
    admission_types: CodeField = field(default_factory=CodeField)
    sexes: CodeField = field(default_factory=CodeField)
    dispositions: CodeField = field(default_factory=CodeField)
    disposition_texts: CodeField = field(
        default_factory=lambda: CodeField(looks_like_a_text, MAX_VALUES)
    )
    facilities: CodeField = field(default_factory=lambda: CodeField(max_values=MAX_VALUES))
    units: CodeField = field(default_factory=lambda: CodeField(max_values=MAX_VALUES))
    authorities: CodeField = field(
        default_factory=lambda: CodeField(looks_like_an_authority, MAX_VALUES)
    )
    standard: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, message: Message, event: PatientEvent, place: Place, patient: int) -> None:
        """Counts the codes of one message."""
        private = cache(partial(private_values, message))

        def adding(into: CodeField) -> AddCode:
            return partial(into.add, place=place, patient=patient, private=private)

        pv1, pid = message.first("PV1"), message.first("PID")
        own = self.codes
        for position, value, table, mapped, into in (
            ("PV1-2", pv1.first(2), PATIENT_CLASSES, own.patient_classes, self.classes),
            ("PV1-4", pv1.first(4), ADMISSION_TYPES, own.admission_types, self.admission_types),
            ("PID-8", pid.first(8), SEXES, own.sexes, self.sexes),
        ):
            self._add_coded(position, value, table, mapped, adding(into))
        self._add_disposition(pv1.first(36), adding)
        adding(self.units)(hierarchic(pv1.first(3), 1)[0].strip())
        namespace, universal_id = hierarchic(pv1.first(3), 4)
        adding(self.facilities)((namespace or universal_id).strip())
        for one in event.patient.identifiers[:4]:
            adding(self.authorities)((one.assigning_authority or one.universal_id).strip())

    def _add_coded(
        self, position: str, value: Value, table: CodeTable, own: Mapping[str, str], add: AddCode
    ) -> None:
        warnings: list[MessageWarning] = []
        read_as = read_code(value, table, own, position, warnings)
        if not read_as:
            return
        code, text = value.code(), value.part(2).strip()
        mapped = code in own or code.upper() in own or text in own
        if mapped or (read_as == code.upper() and not warnings):
            counts = self.standard.setdefault(position, {})
            counts[read_as] = counts.get(read_as, 0) + 1
            return
        # The sender's table is looked up by the code as sent, then by the text.
        add(code or text, read_as="" if read_as == OTHER else read_as)

    def _add_disposition(self, value: Value, adding: Callable[[CodeField], AddCode]) -> None:
        code, text, system = value.code(), value.part(2).strip(), value.code(3)
        if not code or code in self.codes.dispositions:
            return
        if code in DISCHARGE_STATUSES and (not system or is_nubc(system)):
            counts = self.standard.setdefault("PV1-36", {})
            counts[code] = counts.get(code, 0) + 1
            return
        is_death = of_disposition(code, text, system) is Evidence.CLEAR
        adding(self.dispositions)(code, read_as=DEATH if is_death else "")
        if text:
            adding(self.disposition_texts)(text, read_as=code)
