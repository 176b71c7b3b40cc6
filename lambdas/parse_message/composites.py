"""Reads composite data types: names, persons, locations, codes.

The first components of a type are the same in every version (CN and XCN, PN and XPN, CE and CWE), so
one function reads all; later components may be absent.
"""

from hl7.er7 import Value
from lambdas.common.contracts.person import Name
from lambdas.common.contracts.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.visit import CodedText, Location


def person_name(value: Value) -> Name:
    """The name in a PN or XPN."""
    return Name(
        family=value.part(1),
        given=value.part(2),
        middle=value.part(3),
        suffix=value.part(4),
        prefix=value.part(5),
    )


def practitioner(value: Value, role: PractitionerRole, field: str) -> Practitioner | None:
    """The person in a CN or XCN; None when it has neither id nor surname."""
    identifier, family = value.component(1), value.part(2)
    if not identifier and not family:
        return None
    return Practitioner(
        role=role,
        identifier=identifier,
        identifier_type=value.part(13),
        assigning_authority=value.part(9) or value.part(9, 2),
        name=Name(
            family=family,
            given=value.part(3),
            middle=value.part(4),
            suffix=value.part(5),
            prefix=value.part(6),
        ),
        field=field,
    )


def location(value: Value) -> Location:
    """The location in a PL (since 2.3) or in the type used before."""
    return Location(
        facility=value.part(4) or value.part(4, 2),
        unit=value.part(1),
        room=value.part(2),
        bed=value.part(3),
    )


def coded_text(value: Value, diagnosis_type: str = "") -> CodedText:
    """The code, text and coding system of a CE or CWE; of an ID or IS the code alone."""
    return CodedText(
        code=value.part(1),
        text=value.part(2) or value.part(9),
        system=value.part(3),
        diagnosis_type=diagnosis_type,
    )
