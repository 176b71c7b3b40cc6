"""The vault documents that steps exchange (docs/architecture.md#vault-documents).

Fields that may identify a patient are hidden from `repr`. Texts are as the sender wrote them, with
escapes decoded and nothing trimmed. Times are ISO 8601 with the precision and offset that were sent;
"" when none was.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from hl7.warnings import MessageWarning, WarningCode

Document = dict[str, Any]


def _warnings(documents: Iterable[Document]) -> tuple[MessageWarning, ...]:
    return tuple(MessageWarning(**{**one, "code": WarningCode(one["code"])}) for one in documents)


def _private(default: Any = "") -> Any:
    return field(default=default, repr=False)


def _private_table() -> Any:
    return field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The queue message: the location of the stored message, and nothing about the patient.

    docs/architecture.md#queue-message
    """

    event_id: str
    bucket: str
    key: str
    version_id: str
    sha256: str
    bytes: int
    received_at: str
    receiver: str
    connection: str
    sender: str
    replay: str = ""

    @classmethod
    def from_dict(cls, document: Document) -> Self:
        """The envelope in a task's input; `KeyError` names a missing member."""
        return cls(
            event_id=document["event_id"],
            bucket=document["bucket"],
            key=document["key"],
            version_id=document["version_id"],
            sha256=document["sha256"],
            bytes=document["bytes"],
            received_at=document["received_at"],
            receiver=document["receiver"],
            connection=document["connection"],
            sender=document["sender"],
            replay=document.get("replay", ""),
        )


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """One identifier of a patient: PID-3 repetition (CX), PID-2 / PID-4 of older senders, or MRG-1."""

    value: str = _private()
    assigning_authority: str = ""
    universal_id: str = ""
    identifier_type: str = ""
    field: str = "PID-3"


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name (XPN, or the name inside an XCN)."""

    family: str = _private()
    given: str = _private()
    middle: str = _private()
    prefix: str = _private()
    suffix: str = _private()

    def display(self) -> str:
        """The name for display: `Dr Ines Barros`; "" when nothing was given."""
        parts = (self.prefix, self.given, self.middle, self.family, self.suffix)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A provider named in the message, with the role (one of `ROLES`)."""

    role: str
    identifier: str = _private()
    identifier_type: str = ""
    assigning_authority: str = ""
    name: Name = _private(Name())
    field: str = ""


ROLES = (
    "attending",
    "admitting",
    "referring",
    "consulting",
    "primary_care",
)
"""PV1-7, PV1-17, PV1-8, PV1-9, and PD1-4 or ROL with `PP`/`FHCP`."""


@dataclass(frozen=True, slots=True)
class Location:
    """A location in an institution (PL): PV1-3 is the current one, PV1-6 the prior one.

    `unit_name` is the sender's configured name for `unit`; `description` is PL.9.
    """

    facility: str = _private()
    unit: str = _private()
    room: str = _private()
    bed: str = _private()
    building: str = _private()
    floor: str = _private()
    description: str = _private()
    unit_name: str = _private()


@dataclass(frozen=True, slots=True)
class CodedText:
    """A coded entry (CE/CWE): DG1-3, PV1-36, PV2-3."""

    code: str = _private()
    text: str = _private()
    system: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Free text of the message and its field, like `OBX[1]-5` or `NTE[2]-3`.

    `form` is `text`; or `rtf` or `html`, and then `text` is that markup.
    """

    field: str
    text: str = _private()
    form: str = "text"


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the notes that was not read: its field or operation, and the reason.

    `reason` is one of `UNREAD`. `detail` is a code without patient data, such as the service's error
    or a language.
    """

    where: str
    reason: str
    detail: str = ""


UNREAD = (
    "pdf",
    "image",
    "other",
    "pointer",
    "damaged",
    "too_large",
    "too_long",
    "language",
    "service",
    "time",
)
"""A PDF, a picture, another kind of document, a reference to a document (RP), one that cannot be
decoded, one above the size limit; text beyond the length limit, not English; no answer of the service,
or not in time."""


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient as the message describes them (PID).

    `birth_date_unreadable`: PID-7 is given and is no date, so it agrees with none. `died` and `died_at`
    are set on clear evidence only (`PatientEvent.death`).
    """

    identifiers: tuple[PatientIdentifier, ...] = _private(())
    name: Name = _private(Name())
    birth_date: str = _private()
    sex: str = _private()
    phones: tuple[str, ...] = _private(())
    account_number: str = _private()
    died_at: str = _private()
    died: bool = _private(False)
    birth_date_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """The encounter as the message describes it (PV1, PV2)."""

    patient_class: str = ""
    admission_type: str = ""
    location: Location = _private(Location())
    prior_location: Location = _private(Location())
    visit_number: str = _private()
    admitted_at: str = _private()
    discharged_at: str = _private()
    disposition: CodedText = _private(CodedText())
    discharged_to: str = _private()
    reason: CodedText = _private(CodedText())
    facility_name: str = _private()


@dataclass(frozen=True, slots=True)
class PatientEvent:
    """One ADT message as the later steps need it; `event.json` in the vault.

    `kind` is the kind of event: one of `KINDS`, or "" when the rule table has no notification for this
    trigger event and patient class (then `notifiable` is False). `changes_identity`: an MPI may match
    the patient differently after this event, and also the patients of `other_identifiers`: merged
    (MRG), linked or unlinked (a second PID). `language` is MSH-19 as a code, "" for none. `death` is
    the evidence of a death (hl7.death), "" in a document from before it was recorded.
    `processing_mode` is MSH-11.2: `A` archive, `R` restore, `I` initial load, `T` or "" current.
    """

    event_id: str
    trigger_event: str
    kind: str
    notifiable: bool
    hl7_version: str
    processing_id: str = ""
    sender: str = "unknown"
    sending_application: str = _private()
    sending_facility: str = _private()
    message_control_id: str = _private()
    message_time: str = _private()
    recorded_at: str = _private()
    occurred_at: str = _private()
    patient: Patient = _private(Patient())
    visit: Visit = _private(Visit())
    practitioners: tuple[Practitioner, ...] = _private(())
    diagnoses: tuple[CodedText, ...] = _private(())
    notes: tuple[Note, ...] = _private(())
    unread_notes: tuple[Unread, ...] = ()
    language: str = ""
    warnings: tuple[MessageWarning, ...] = ()
    unread_segments: tuple[str, ...] = ()
    changes_identity: bool = False
    other_identifiers: tuple[PatientIdentifier, ...] = _private(())
    death: str = _private()
    processing_mode: str = ""

    def to_dict(self) -> Document:
        """The document to write to the vault."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Document) -> Self:
        """The event in `event.json`; `KeyError` or `TypeError` when it is not one."""
        patient, visit = dict(document["patient"]), dict(document["visit"])
        patient["identifiers"] = tuple(PatientIdentifier(**i) for i in patient["identifiers"])
        patient["name"] = Name(**patient["name"])
        patient["phones"] = tuple(patient["phones"])
        visit["location"] = Location(**visit["location"])
        visit["prior_location"] = Location(**visit["prior_location"])
        visit["disposition"] = CodedText(**visit["disposition"])
        visit["reason"] = CodedText(**visit["reason"])
        return cls(
            **{
                **document,
                "patient": Patient(**patient),
                "visit": Visit(**visit),
                "practitioners": tuple(
                    Practitioner(**{**p, "name": Name(**p["name"])})
                    for p in document["practitioners"]
                ),
                "diagnoses": tuple(CodedText(**d) for d in document["diagnoses"]),
                "notes": tuple(Note(**n) for n in document["notes"]),
                "unread_notes": tuple(Unread(**u) for u in document.get("unread_notes", ())),
                "warnings": _warnings(document["warnings"]),
                "unread_segments": tuple(document["unread_segments"]),
                "other_identifiers": tuple(
                    PatientIdentifier(**i) for i in document.get("other_identifiers", ())
                ),
            }
        )

    def unreadable(self, position: str) -> bool:
        """Whether the field at this position holds a time or date that could not be read."""
        codes = (WarningCode.NOT_A_TIME, WarningCode.NOT_A_DATE)
        return any(one.position == position and one.code in codes for one in self.warnings)

    def event_time(self) -> str:
        """The time of the event: EVN-6, else the visit's own time, else EVN-2, else MSH-7.

        For a cancellation it is the recording time: its EVN-6 is the time of the cancelled event.
        """
        if self.kind in CANCELS:
            return self.recorded_at or self.message_time
        visit_time = (
            self.visit.discharged_at if "discharge" in self.kind else self.visit.admitted_at
        )
        if self.kind == "transfer":
            visit_time = ""
        return self.occurred_at or visit_time or self.recorded_at or self.message_time


KINDS = (
    "admission",
    "registration",
    "ed_registration",
    "transfer",
    "discharge",
    "ed_discharge",
    "cancel_admission",
    "cancel_transfer",
    "cancel_discharge",
)
"""The kinds of notifications: inpatient admission, registration (class not given), emergency
registration, transfer, inpatient discharge, emergency discharge; and the cancellation of one of them."""

CANCELS = {
    "cancel_admission": ("admission", "registration", "ed_registration"),
    "cancel_transfer": ("transfer",),
    "cancel_discharge": ("discharge", "ed_discharge"),
}
"""The kinds that each cancellation cancels (A11, A12, A13). It goes to the recipients of those notices only."""


@dataclass(frozen=True, slots=True)
class FirstNotice:
    """The notification that a cancellation cancels: its event, delivery and time of sending."""

    event_id: str
    delivery_id: str
    told_at: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A provider to be notified, with the registry's address and the reasons of the choice.

    Preferences: `detail` is `full`, `minimal` or `smime` (full, encrypted to
    `certificate`: PEM, its issuers after it); `analysis` is the amount of findings from the
    notes (`full`, `coded`, `off`); `language` is `en` or `fr-CA`; `bundle` asks for the
    FHIR message beside the text; `digest_at` (HH:MM) for one summary a day, `quiet` (HH:MM-HH:MM)
    for none in these hours, both in `time_zone`.

    `fallback_ref` is the recipient to notify when this address fails (`Identities.fallbacks`);
    `withdraws` is the notice that this event cancels; `roster_until` is the last day of the roster, if
    the roster alone relates them to the patient and ends soon; else "".
    """

    recipient_ref: str
    reasons: tuple[str, ...]
    channel: str = "email"
    provider_id: str = _private()
    name: Name = _private(Name())
    address: str = _private()
    detail: str = "full"
    analysis: str = "full"
    certificate: str = _private()
    language: str = "en"
    bundle: bool = False
    digest_at: str = ""
    quiet: str = ""
    time_zone: str = ""
    roster_until: str = ""
    fallback_ref: str = ""
    withdraws: FirstNotice | None = None

    @classmethod
    def from_dict(cls, document: Document) -> Self:
        """The recipient in `identities.json`, of this version or an older one."""
        first = document.get("withdraws")
        return cls(
            **{
                **document,
                "reasons": tuple(document["reasons"]),
                "name": Name(**document["name"]),
                "withdraws": FirstNotice(**first) if first else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Considered:
    """A provider who was considered and not chosen, with the reason (docs/identity.md#who-is-told)."""

    recipient_ref: str
    relationship: str
    reason: str


@dataclass(frozen=True, slots=True)
class Identities:
    """The patient in the registry and the recipients; `identities.json` in the vault.

    `merged_from` are the references of patients merged into this one.
    """

    patient_ref: str
    matched_on: tuple[str, ...] = ()
    patient_id: str = _private()
    recipients: tuple[Recipient, ...] = ()
    considered: tuple[Considered, ...] = ()
    warnings: tuple[MessageWarning, ...] = ()
    fallbacks: tuple[Recipient, ...] = ()
    merged_from: tuple[str, ...] = ()

    def to_dict(self) -> Document:
        """The document to write to the vault."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Document) -> Self:
        """The identities in `identities.json`."""
        return cls(
            patient_ref=document["patient_ref"],
            matched_on=tuple(document["matched_on"]),
            patient_id=document["patient_id"],
            recipients=tuple(map(Recipient.from_dict, document["recipients"])),
            considered=tuple(Considered(**c) for c in document["considered"]),
            warnings=_warnings(document["warnings"]),
            fallbacks=tuple(map(Recipient.from_dict, document.get("fallbacks", ()))),
            merged_from=tuple(document.get("merged_from", ())),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition, medication, test or procedure that Comprehend Medical found in a note.

    `score` is the service's, 0 to 1; `code` is ICD-10-CM (RxNorm for a medication), "" when it offered
    none. `field` is its place in the message. `kind` of a condition is `diagnosis`, `sign` or `symptom`, of a
    medication `generic` or `brand`; its `attributes` are dosage, strength, form, route, frequency, rate.
    """

    text: str = _private()
    code: str = _private()
    description: str = _private()
    score: float = 0.0
    detail: str = _private()
    field: str = ""
    kind: str = ""
    acuity: str = _private()
    anatomy: str = _private()
    attributes: dict[str, str] = _private_table()


@dataclass(frozen=True, slots=True)
class ClinicalFindings:
    """The findings in the notes; `clinical.json` in the vault.

    `outcome` is `extracted`, `nothing_to_read`, `not_english`, `switched_off`, or `unavailable`.
    `set_aside` counts findings left out, by reason (negated, hypothetical, family …); `apart` holds
    them; they are never shown as current. `hospital` are the hospital's own diagnoses (DG1), shown
    first. `not_analysed` names the parts that were not read and the reasons, without patient data.
    """

    outcome: str
    conditions: tuple[Finding, ...] = ()
    medications: tuple[Finding, ...] = ()
    set_aside: dict[str, int] = field(default_factory=dict)
    model_versions: dict[str, str] = field(default_factory=dict)
    hospital: tuple[CodedText, ...] = _private(())
    tests: tuple[Finding, ...] = ()
    procedures: tuple[Finding, ...] = ()
    apart: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    not_analysed: tuple[Unread, ...] = ()
    cost_mode: str = ""

    def to_dict(self) -> Document:
        """The document to write to the vault."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Document) -> Self:
        """The findings in `clinical.json`."""
        return cls(
            outcome=document["outcome"],
            conditions=tuple(Finding(**f) for f in document["conditions"]),
            medications=tuple(Finding(**f) for f in document["medications"]),
            set_aside=dict(document["set_aside"]),
            model_versions=dict(document["model_versions"]),
            hospital=tuple(CodedText(**c) for c in document.get("hospital", ())),
            tests=tuple(Finding(**f) for f in document.get("tests", ())),
            procedures=tuple(Finding(**f) for f in document.get("procedures", ())),
            apart={
                reason: tuple(Finding(**f) for f in findings)
                for reason, findings in document.get("apart", {}).items()
            },
            not_analysed=tuple(Unread(**u) for u in document.get("not_analysed", ())),
            cost_mode=document.get("cost_mode", ""),
        )
