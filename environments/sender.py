"""A sender's file as frozen dataclasses: each key of `senders/*.toml` is a field of the same name.

The JSON Schema `sender.schema.json` describes and checks each value.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A sender's discharge disposition: its words for readers, and whether it is a death."""

    text: str = ""
    death: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRules:
    """The rules for a sender's encounters, beside the defaults of every sender (docs/encounters.md).

    `effects` are by trigger event, `stale_after_days` and `settle_seconds` by the kind of a notice,
    `close_after_days` by class.
    """

    load: bool = False
    emergency_units: tuple[str, ...] = ()
    observation_units: tuple[str, ...] = ()
    effects: dict[str, str] = field(default_factory=dict)
    stale_after_days: dict[str, int] = field(default_factory=dict)
    settle_seconds: dict[str, int] = field(default_factory=dict)
    close_after_days: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCertificate:
    """A client certificate of a sender: its issuer, and its subject, a DNS name in it, or both.

    Names are tables of attributes: `{ CN = "adt", O = "Northgen" }`; a list holds several of a type.
    """

    issuer: dict[str, str | tuple[str, ...]]
    subject: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    dns_name: str = ""

    def __post_init__(self) -> None:
        if not (self.subject or self.dns_name):
            raise ValueError("subject: missing; allowed: subject, dns_name or both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A hospital system that sends messages, known by its MSH-3.1 and MSH-4.1.

    `networks` and `certificates` bind it to connections (docs/receiver.md). Patients are looked up by
    identifiers of the default authority and of `assigning_authorities` only (docs/identity.md). The
    tables are its own codes (docs/configuration.md).
    """

    name: str
    sending_application: str
    sending_facility: str
    default_assigning_authority: str = ""
    assigning_authorities: tuple[str, ...] = ()
    identifier_alone: bool = False
    time_zone: str = ""
    date_order: Literal["", "dmy", "mdy"] = ""
    display_name: str = ""
    phone: str = ""
    test_patient_names: tuple[str, ...] = ()
    test_patient_identifiers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    certificates: tuple[SenderCertificate, ...] = ()
    trigger_events: tuple[str, ...] = ()
    patient_classes: dict[str, str] = field(default_factory=dict)
    admission_types: dict[str, str] = field(default_factory=dict)
    sexes: dict[str, str] = field(default_factory=dict)
    dispositions: dict[str, Disposition] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    facilities: dict[str, str] = field(default_factory=dict)
    facility_names: dict[str, str] = field(default_factory=dict)
    encounters: EncounterRules | None = None
    jurisdiction: str = ""
    not_vip_codes: tuple[str, ...] = ()
    sensitive_units: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sensitive_services: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sensitive_diagnoses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sample: bool = False

    @property
    def bound(self) -> bool:
        """Whether only connections of its networks or with its certificates may use this sender."""
        return bool(self.networks or self.certificates)
