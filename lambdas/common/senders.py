"""The configured senders, as functions use them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hl7.timestamps import DateOrder
from lambdas.common.clock import zone_named
from lambdas.common.configuration import SenderEntry
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.context import Context

UNKNOWN_SENDER = "unknown"
"""The sender of a message that no entry of the document names (receiver/intake/sender_table.py)."""

TEST_NAMES = ("ZZ",)
"""Usual beginnings of the names of test patients in production, which put these last in every list."""


@dataclass(frozen=True, slots=True)
class SenderDisposition:
    """A sender's discharge disposition (PV1-36): its words for readers, and whether it is a death."""

    text: str = ""
    death: bool = False


@dataclass(frozen=True, slots=True)
class SenderPrivacy:
    """The codes by which a sender's stays are protected, without case.

    `not_vip` are the codes of PV1-16 that mark no VIP. `units` (PV1-3.1 or PV1-3.4), `services` (PV1-10)
    and `diagnoses` (of the sender's own code system) are by category.
    """

    not_vip: frozenset[str] = frozenset()
    units: Mapping[Sensitivity, frozenset[str]] = field(default_factory=dict)
    services: Mapping[Sensitivity, frozenset[str]] = field(default_factory=dict)
    diagnoses: Mapping[Sensitivity, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SenderCodes:
    """A sender's own codes. Those of PV1-2, PV1-4 and PID-8 are mapped to HL7's, the others to names.

    `facilities` maps further codes of a facility (PV1-3.4) to the one by which it is known, and
    `facility_names` that one to the name for readers.
    """

    patient_classes: Mapping[str, str] = field(default_factory=dict)
    admission_types: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    dispositions: Mapping[str, SenderDisposition] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    facilities: Mapping[str, str] = field(default_factory=dict)
    facility_names: Mapping[str, str] = field(default_factory=dict)
    privacy: SenderPrivacy = SenderPrivacy()


@dataclass(frozen=True, slots=True)
class SenderAuthorities:
    """The assigning authorities whose identifiers a sender may assert.

    `default` belongs to identifiers that name none, "" for none; `further` are others, by namespace
    (CX-4.1) or universal id (CX-4.2).
    """

    default: str = ""
    further: frozenset[str] = frozenset()

    def allows(self, authority: str) -> bool:
        """Whether the sender may assert identifiers of this authority, compared exactly."""
        return authority in self.further or (bool(authority) and authority == self.default)


@dataclass(frozen=True, slots=True)
class SenderProfile:
    """A configured sender; all members are empty for one that is not configured.

    `zone` applies to times without an offset, `date_order` to dates such as 03/04/1961,
    `default_assigning_authority` to identifiers without an authority. `identifier_alone`: an identifier is
    enough where no demographics can be compared. `test_names` and `test_identifiers` are the beginnings of
    the names and identifiers of test patients. `jurisdiction` is an ISO 3166-2 code: US-NY.
    """

    display_name: str = ""
    zone: ZoneInfo | None = None
    date_order: DateOrder = DateOrder.UNKNOWN
    default_assigning_authority: str = ""
    phone: str = ""
    codes: SenderCodes = field(default_factory=SenderCodes)
    assigning_authorities: frozenset[str] = frozenset()
    identifier_alone: bool = False
    test_names: tuple[str, ...] = TEST_NAMES
    test_identifiers: tuple[str, ...] = ()
    jurisdiction: str = ""

    def today(self) -> str:
        """The day (YYYY-MM-DD) that it is now in the sender's time zone; in UTC without one."""
        return datetime.now(self.zone or UTC).date().isoformat()

    @property
    def authorities(self) -> SenderAuthorities:
        """The authorities whose identifiers it may assert; none for a sender that is not configured."""
        return SenderAuthorities(self.default_assigning_authority, self.assigning_authorities)

    def is_test_patient(self, patient: Patient) -> bool:
        """Whether a name (PID-5.1, PID-5.2) or an identifier (PID-3.1) begins as a test patient's does."""
        return _begins((patient.name.family, patient.name.given), self.test_names) or _begins(
            (one.value for one in patient.identifiers), self.test_identifiers
        )


def _begins(texts: Iterable[str], beginnings: Iterable[str]) -> bool:
    """Whether one of the texts begins with one of the beginnings, without case."""
    folded = tuple(one.casefold() for one in beginnings)
    return any(text.strip().casefold().startswith(folded) for text in texts)


def sender_of_message(context: Context, name: str) -> SenderEntry:
    """The entry of the sender of a message; an empty one for `unknown`.

    During a deployment a receiver may know a new sender before the functions do. Raises
    `DependencyUnavailableError` then, and errors as `read_configuration`.
    """
    if name != UNKNOWN_SENDER and name not in context.senders:
        raise DependencyUnavailableError(
            f"configuration: the function's version of the document has no sender {name}"
        )
    return context.senders.get(name, {})


def sender_named(context: Context, name: str) -> SenderProfile:
    """The sender of this configured name; an empty `SenderProfile` for `unknown`.

    Raises as `read_configuration`.
    """
    return sender_profile(context.senders.get(name, {}))


def sender_profile(entry: Mapping[str, Any]) -> SenderProfile:
    """The sender of an entry of the configuration document."""
    return SenderProfile(
        display_name=entry.get("display_name", ""),
        zone=zone_named(entry.get("time_zone", "")),
        date_order=DateOrder(entry.get("date_order", "")),
        default_assigning_authority=entry.get("default_assigning_authority", ""),
        phone=entry.get("phone", ""),
        codes=_codes(entry),
        assigning_authorities=frozenset(entry.get("assigning_authorities", ())),
        identifier_alone=entry.get("identifier_alone", False),
        test_names=tuple(entry.get("test_patient_names", TEST_NAMES)),
        test_identifiers=tuple(entry.get("test_patient_identifiers", ())),
        jurisdiction=entry.get("jurisdiction", ""),
    )


def _codes(entry: Mapping[str, Any]) -> SenderCodes:
    dispositions = entry.get("dispositions", {})
    return SenderCodes(
        patient_classes=entry.get("patient_classes", {}),
        admission_types=entry.get("admission_types", {}),
        sexes=entry.get("sexes", {}),
        dispositions={
            code: SenderDisposition(one.get("text", ""), bool(one.get("death", False)))
            for code, one in dispositions.items()
        },
        units=entry.get("units", {}),
        facilities=entry.get("facilities", {}),
        facility_names=entry.get("facility_names", {}),
        privacy=SenderPrivacy(
            not_vip=frozenset(code.strip().casefold() for code in entry.get("not_vip_codes", ())),
            units=_by_category(entry.get("sensitive_units", {})),
            services=_by_category(entry.get("sensitive_services", {})),
            diagnoses=_by_category(entry.get("sensitive_diagnoses", {})),
        ),
    )


def _by_category(table: Mapping[str, Iterable[str]]) -> dict[Sensitivity, frozenset[str]]:
    return {
        Sensitivity(category): frozenset(code.strip().casefold() for code in codes)
        for category, codes in table.items()
    }
