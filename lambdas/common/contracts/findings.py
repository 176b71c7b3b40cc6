"""The clinical findings of an event's notes, `clinical.json` in the vault."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private
from lambdas.common.contracts.message.notes import Skipped
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.contracts.recipients.preferences import CostMode


class FindingType(StrEnum):
    """The type of a finding; `NONE` when the service gave none.

    A condition is a diagnosis, sign or symptom, a medication has a generic or a brand name. The last three
    are the types TEST_NAME, PROCEDURE_NAME and TREATMENT_NAME of the category TEST_TREATMENT_PROCEDURE.
    https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html
    """

    NONE = ""
    DIAGNOSIS = "diagnosis"
    SIGN = "sign"
    SYMPTOM = "symptom"
    GENERIC = "generic"
    BRAND = "brand"
    TEST = "test"
    PROCEDURE = "procedure"
    TREATMENT = "treatment"


class SetAsideReason(StrEnum):
    """The reason for which a finding is not shown as current: a trait that the service gave, or a low score."""

    NEGATED = "negated"
    FAMILY = "family"
    HYPOTHETICAL = "hypothetical"
    PAST = "past"
    LOW_CONFIDENCE = "low_confidence"


class FindingsOutcome(StrEnum):
    """The outcome of the search for findings.

    deferred: the event waits for its turn at the service, and there are no findings yet. protected: a
    protected or sensitive stay, whose notes are never sent to the service, nor looked up in the cache.
    """

    EXTRACTED = "extracted"
    NOTHING_TO_READ = "nothing_to_read"
    NOT_ENGLISH = "not_english"
    SWITCHED_OFF = "switched_off"
    UNAVAILABLE = "unavailable"
    DEFERRED = "deferred"
    PROTECTED = "protected"


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition, medication, test or procedure that Comprehend Medical found in a note.

    `score` is the service's, 0 to 1; `code` is ICD-10-CM (RxNorm for a medication), "" when it offered
    none. `field` is its place in the message. `attributes` of a medication are dosage, strength, form,
    route, frequency, rate.
    """

    text: str = private()
    code: str = private()
    description: str = private()
    score: float = 0.0
    detail: str = private()
    field: str = ""
    finding_type: FindingType = FindingType.NONE
    acuity: str = private()
    anatomy: str = private()
    attributes: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ClinicalFindings:
    """The findings in the notes; `clinical.json` in the vault.

    `set_aside` counts findings left out, by reason; `apart` holds them; they are never shown as current.
    `hospital` are the hospital's own diagnoses (DG1), shown first. `not_analysed` names the parts that were
    not read and the reasons, without patient data. `cost_mode` is None where no notes were looked at.
    """

    outcome: FindingsOutcome
    conditions: tuple[Finding, ...] = ()
    medications: tuple[Finding, ...] = ()
    set_aside: dict[SetAsideReason, int] = dataclasses.field(default_factory=dict)
    model_versions: dict[str, str] = dataclasses.field(default_factory=dict)
    hospital: tuple[CodedText, ...] = private(())
    tests: tuple[Finding, ...] = ()
    procedures: tuple[Finding, ...] = ()
    apart: dict[SetAsideReason, tuple[Finding, ...]] = dataclasses.field(default_factory=dict)
    not_analysed: tuple[Skipped, ...] = ()
    cost_mode: CostMode | None = None
