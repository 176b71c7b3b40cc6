"""Reads composite data types: names, persons, locations, codes.

The first components of a type are the same in every version (CN and XCN, PN and XPN, CE and CWE), so
one function reads all; later components may be absent. A subcomponent delimiter separates only where
the data type has subcomponents and the value looks like them; elsewhere it is text, as in `A&E`.
"""

import re

from hl7.er7 import NULL, Segment, Value
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Location
from lambdas.common.senders import SenderCodes

UNIVERSAL_ID_TYPES = frozenset(
    {"CEN", "CLIA", "CLIP", "DNS", "EUI64", "GUID", "HCD", "HL7", "ISO", "L", "M", "N", "NPI"}
    | {"RANDOM", "UPIN", "URI", "URL", "UUID", "X400", "X500"}
)
"""HL7 table 0301, and codes that senders add."""

_PARTICLE = re.compile(r"[^\W\d_A-Z]+(?: [^\W\d_A-Z]+)*\.?")
_WITH_DIGIT = re.compile(r"\S*\d\S*")
"""The form of a code and of a universal id: one word with a digit."""
_CODING_SYSTEM = re.compile(r"I\d\w*|ICD.*|SCT|SNM.*|L|99\w{3}", re.IGNORECASE)
"""The usual coding systems of diagnoses (HL7 table 0396)."""


def unrepeated(
    segment: Segment, number: int, warnings: list[MessageWarning], *, first_code: bool = True
) -> Value:
    """The value of a text or coded field that the standard does not repeat in any version.

    A repetition delimiter in it is text, with a warning. Where it separates codes or whole coded entries,
    the first one is read, with a warning; without `first_code`, different codes stay one unknown code
    (docs/adr/0208-tilde-in-fields-that-do-not-repeat.md).
    """
    sent, escapes = segment.field(number), segment.escapes
    if escapes.repetition not in sent:
        return Value(sent, escapes)  # nearly every field
    repetitions = dict.fromkeys(sent.split(escapes.repetition))
    values = [one for one in repetitions if one not in ("", NULL)]
    if len(values) < 2:
        return Value("".join(values), escapes)
    position = segment.position(number)
    entries = any(_is_entry(other, escapes.component) for other in values[1:])
    codes = first_code and all(_WITH_DIGIT.fullmatch(value.strip()) for value in values)
    if entries or codes:
        warnings.append(MessageWarning(WarningCode.TOO_MANY_REPETITIONS, position, "1"))
        return Value(values[0], escapes)
    warnings.append(MessageWarning(WarningCode.NOT_STANDARD_FORM, position))
    return Value(sent.strip(escapes.repetition), escapes)


def _is_entry(value: str, component: str) -> bool:
    """Whether the value is a coded entry of its own: a code without blanks, then another component.

    A coding system behind a word is the end of the text ahead: `R07.4^Chest pain~unclear^I10`.
    """
    code, separator, rest = value.partition(component)
    system = rest.split(component, 1)[0].strip()
    has_text = bool(separator) and _CODING_SYSTEM.fullmatch(system) is None
    return has_text and " " not in code.strip()


def family_name(value: Value, component: int) -> str:
    """The surname in a component of type FN (since 2.3), with its subcomponents if it has any.

    FN-1 is the whole surname; FN-2 and FN-3 repeat its prefix and own part (HL7 v2.9, 2.A.30).
    """
    whole = value.part(component)
    if value.escapes.subcomponent not in whole:
        return whole
    surname, prefix, *parts = (value.part(component, n) for n in range(1, 6))
    repeats = any(part and part in surname for part in parts) or (
        not any(parts) and _PARTICLE.fullmatch(prefix) is not None
    )
    blank = re.search(rf"\s{re.escape(value.escapes.subcomponent)}", whole)
    return surname if surname and repeats and not blank else whole


def hierarchic(value: Value, component: int) -> tuple[str, str]:
    """Namespace and universal id of a component of type HD (HL7 v2.9, 2.A.33)."""
    whole = value.part(component)
    if value.escapes.subcomponent not in whole:
        return whole, ""
    namespace, universal_id, kind = (value.part(component, n) for n in range(1, 4))
    is_id = not universal_id or _WITH_DIGIT.fullmatch(universal_id.strip())
    if kind.strip().upper() in UNIVERSAL_ID_TYPES or (is_id and not namespace.endswith(" ")):
        return namespace, universal_id
    return whole, ""


def person_name(value: Value) -> Name:
    """The name in a PN or XPN."""
    return Name(
        family=family_name(value, 1),
        given=value.part(2),
        middle=value.part(3),
        suffix=value.part(4),
        prefix=value.part(5),
    )


def practitioner(value: Value, role: PractitionerRole, field: str) -> Practitioner | None:
    """The person in a CN or XCN; None when it has neither id nor surname."""
    identifier, family = value.component(1), family_name(value, 2)
    if not identifier and not family:
        return None
    namespace, universal_id = hierarchic(value, 9)
    return Practitioner(
        role=role,
        identifier=identifier,
        identifier_type=value.part(13),
        assigning_authority=namespace or universal_id,
        name=Name(
            family=family,
            given=value.part(3),
            middle=value.part(4),
            suffix=value.part(5),
            prefix=value.part(6),
        ),
        field=field,
    )


def location(value: Value, codes: SenderCodes) -> Location:
    """The location in a PL (since 2.3) or in the type used before; facility and unit by the sender's codes."""
    unit, facility = _named(value, 1), _named(value, 4)
    return Location(
        facility=codes.facilities.get(facility, facility),
        unit=unit,
        room=_named(value, 2),
        bed=_named(value, 3),
        building=_named(value, 7),
        floor=_named(value, 8),
        description=value.part(9),
        unit_name=codes.units.get(unit, ""),
    )


def _named(value: Value, component: int) -> str:
    namespace, universal_id = hierarchic(value, component)
    return namespace or universal_id


def coded_text(value: Value, diagnosis_type: str = "") -> CodedText:
    """The code, text and coding system of a CE or CWE; of an ID or IS the code alone."""
    return CodedText(
        code=value.part(1),
        text=value.part(2) or value.part(9) or value.part(5),
        system=value.part(3),
        diagnosis_type=diagnosis_type,
    )
