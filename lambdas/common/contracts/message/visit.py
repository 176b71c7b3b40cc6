"""The encounter as a message describes it (PV1, PV2), its places and coded entries."""

from dataclasses import dataclass

from lambdas.common.contracts.document import private


@dataclass(frozen=True, slots=True)
class Location:
    """A location in an institution (PL): PV1-3 is the current one, PV1-6 the prior one.

    `unit_name` is the sender's configured name for `unit`; `description` is PL.9.
    """

    facility: str = private()
    unit: str = private()
    room: str = private()
    bed: str = private()
    building: str = private()
    floor: str = private()
    description: str = private()
    unit_name: str = private()


@dataclass(frozen=True, slots=True)
class CodedText:
    """A coded entry (CE/CWE): DG1-3, PV1-36, PV2-3. `diagnosis_type` is DG1-6 (HL7 table 0052)."""

    code: str = private()
    text: str = private()
    system: str = ""
    diagnosis_type: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """The encounter of a message (PV1, PV2)."""

    patient_class: str = ""
    admission_type: str = ""
    location: Location = private(Location())
    prior_location: Location = private(Location())
    visit_number: str = private()
    admitted_at: str = private()
    discharged_at: str = private()
    disposition: CodedText = private(CodedText())
    discharged_to: str = private()
    reason: CodedText = private(CodedText())
    facility_name: str = private()
