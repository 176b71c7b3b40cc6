"""The values of an environment and of its senders, as frozen dataclasses.

Each key of the TOML files is a field of the same name. The JSON Schemas beside the files describe and
check each value; rules over several values are in `__post_init__`, which raises `ValueError`.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from environments.placeholders import unset_values
from environments.policy import PolicyFile
from environments.retention import SIX_YEARS, Retention

CONFIGURATION_VERSION = 1
HOLDS_REAL_PATIENTS = frozenset({"staging", "prod"})
"""Environments with real patients, whatever their files say."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGateway:
    """The hospital's end of a Site-to-Site VPN: public address, BGP number, networks."""

    name: str
    ip: str
    asn: int = 65000
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The VPC of an environment, and the networks from which the receiver is reached.

    `prefix_lists` are AWS's lists of the addresses behind the S3 and DynamoDB gateway endpoints. A
    security group can name these addresses in no narrower way (VPC user guide, "AWS-managed prefix
    lists"). `availability_zones` are ids (`use1-az1`): the zone named `us-east-1a` differs between
    accounts. With `functions_inside` False the functions run outside the VPC, except LookupIdentities
    where an MPI is reached through it (docs/adr/0112).
    """

    cidr: str
    availability_zones: tuple[str, ...]
    prefix_lists: tuple[str, ...]
    sender_networks: tuple[str, ...]
    customer_gateways: tuple[CustomerGateway, ...] = ()
    functions_inside: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSection:
    """Table `[receiver]`: number of receivers, TLS, and the messages that are accepted.

    TLS ends at the load balancer with `certificate_arn`, at the receiver with `tls_secret`. Without
    both, MLLP is plain TCP in the VPN, and `plain_text_because` has to say why. Empty `processing_ids`: P in prod, P, T and D elsewhere.
    `server_name` is the name in the certificate. `smoke_secret` is the ARN of a secret for `ens smoke`:
    `ca`, and for mutual TLS `certificate` and `key`, in PEM.
    """

    desired: int = 2
    maximum: int = 6
    certificate_arn: str = ""
    tls_secret: str = ""
    server_name: str = ""
    smoke_secret: str = ""
    plain_text_because: str = ""
    unknown_senders: Literal["accept", "reject"] = "reject"
    processing_ids: tuple[Literal["P", "T", "D"], ...] = ()

    def __post_init__(self) -> None:
        if self.certificate_arn and self.tls_secret:
            raise ValueError(
                "certificate_arn and tls_secret are both set; allowed: one of them, because TLS ends"
                " at the load balancer or at the receiver"
            )
        if self.encrypted and self.plain_text_because:
            raise ValueError("plain_text_because: set beside TLS; allowed: empty")
        if self.desired > self.maximum:
            raise ValueError(f"desired: {self.desired}; allowed: at most maximum ({self.maximum})")

    @property
    def encrypted(self) -> bool:
        """Whether senders connect with TLS."""
        return bool(self.certificate_arn or self.tls_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSection:
    """Table `[mail]`: sender address and sending rules of notifications.

    `create` is False where SES already has the domain's identity. `rate` is in mails a second.
    `sandbox_recipients` are the verified addresses or domains that may get mail in the SES sandbox, where
    the sending role needs a grant on each; empty with production access.
    """

    domain: str
    from_address: str
    create: bool = True
    rate: int = 1
    on_unknown: Literal["park", "resend_once"] = "park"
    full_in_clear: Literal["allowed", "forbidden"] = "allowed"
    sandbox_recipients: tuple[str, ...] = ()
    smime_secret: str = ""
    smime_secret_key_arn: str = ""

    def __post_init__(self) -> None:
        # SES: an identity of a domain is that of its subdomains too, and of no other.
        sending = self.from_address.rpartition("@")[2]
        if sending != self.domain and not sending.endswith(f".{self.domain}"):
            raise ValueError(
                f"from_address: {self.from_address}; allowed: an address in {self.domain}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MpiSection:
    """Table `[mpi]`: the external master patient index or provider directory (docs/identity.md).

    `settings` are the function's ENS_MPI_SETTINGS. `networks` and `port` are opened in the functions'
    security group. Without `secret_key_arn`, the secret is encrypted with the AWS managed key.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    providers: Literal["registry", "fhir"] = "registry"
    secret_arn: str = ""
    secret_key_arn: str = ""
    networks: tuple[str, ...] = ()
    port: int = 443

    def settings_json(self) -> str:
        """Returns the settings as the function reads them."""
        return json.dumps(self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Table `[backup]`: daily backups of tables and vault, kept for `days`, copied to `copy_to` (ARNs).

    A copy in another account needs its vault's access policy and an organisation's cross-account
    backup (AWS Backup developer guide, "Creating backup copies across AWS accounts").
    """

    days: int
    copy_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSection:
    """Table `[people]`: principals (ARNs, `*` allowed) that may assume each role of docs/security.md.

    Empty: any principal of the account that signed in with MFA and may call `sts:AssumeRole`. Roles of
    IAM Identity Center are
    `arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_<permission set>_*`.
    """

    operators: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()
    registrars: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()


DIGEST_DAYS_BEYOND_ENTRIES = 31
"""Days that a digest is kept longer than its entries: nearly all events have all their entries within them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSection:
    """Table `[audit]`: the seal keys and the daily digests of the audit trail.

    `seal_keys` is the number of KMS keys made so far: the newest seals, older ones verify. A higher number
    is a rotation. `digest_lock` is the mode of S3 Object Lock on the digests, which keeps them for `digest_days`:
    nobody can delete them in mode `compliance`, only principals with s3:BypassGovernanceRetention in
    `governance` (Amazon S3 User Guide, "Locking objects with Object Lock"). An expired entry is told from a
    missing one by the digest of its day, also when a later entry of its event is still kept.
    """

    seal_keys: int = 1
    digest_lock: Literal["none", "governance", "compliance"] = "none"
    digest_days: int = SIX_YEARS + DIGEST_DAYS_BEYOND_ENTRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment and its senders. Empty `account`: the account of the credentials.

    `max_receive_count` deliveries of a queue message, one every 12 minutes, end as a dead letter.
    Without `extract_concurrency` no Lambda concurrency is reserved. `comprehend_rate` and
    `comprehend_characters` are quotas a second of each operation of Comprehend Medical, shared by all
    functions; `findings_wait_seconds` is the longest time that an event waits for this quota.
    `log_execution_data` adds the input and output of every state to the workflow's log (docs/cost.md).
    `data_trail` records every access to vault, registry and MPI cache in CloudTrail.
    `backup` None makes no backups.
    """

    name: str
    account: str = ""
    region: str = "us-east-1"
    target: Literal["lambda", "host"] = "lambda"
    network: Network | None = None
    receiver: ReceiverSection = field(default_factory=ReceiverSection)
    mail: MailSection
    senders: tuple[Sender, ...] = ()
    policies: tuple[PolicyFile, ...] = ()
    unknown_patient: Literal["dead_letter", "end", "hold"]
    hold_minutes: int = 5
    mpi_client: Literal["registry", "pixpdq", "fhir"] = "registry"
    mpi: MpiSection = field(default_factory=MpiSection)
    cost_mode: Literal["full", "coded", "off"] = "full"
    comprehend_rate: int = 40
    comprehend_characters: int = 40_000
    findings_wait_seconds: int = 90
    text_limit: int = 50_000
    document_bytes: int = 1_000_000
    max_receive_count: int
    extract_concurrency: int | None = None
    log_execution_data: bool = False
    people: PeopleSection = field(default_factory=PeopleSection)
    audit: AuditSection = field(default_factory=AuditSection)
    data_trail: bool = False
    alarm_addresses: tuple[str, ...] = ()
    alarm_topics: tuple[str, ...] = ()
    retain: bool
    deletion_protection: bool
    retention: Retention
    backup: Backup | None = None

    def __post_init__(self) -> None:
        # Physical names contain it (a load balancer's has at most 32 characters). Patterns in policies
        # end with it and a hyphen: `hl7-ens-dev-*` must not match another environment.
        if not re.fullmatch(r"[a-z][a-z0-9]{0,14}", self.name):
            raise ValueError(
                f"name: {self.name}; allowed: 1 to 15 lower-case letters and digits, the first a letter"
            )
        if self.vault_expiration_days < 1 or self.rejected_expiration_days < 1:
            raise ValueError(
                f"retention.vault_days: {self.retention.vault_days}; allowed: more than"
                " retention.recovery_days and backup.days together, as for rejected_days"
            )
        if self.unknown_patient == "hold" and not 0 < self.hold_minutes < self.max_receive_count:
            raise ValueError(
                f"hold_minutes: {self.hold_minutes}; each minute is a receive of the queue;"
                f" allowed: 1 to {self.max_receive_count - 1}, below max_receive_count"
            )
        if self.holds_real_patients:
            self._check_real_patients()
        self._check_ingress()
        self._check_unbound_senders()

    def _check_real_patients(self) -> None:
        """Raises `ValueError` where records of real patients' accesses and disclosures could be missing."""
        self.retention.check_real_patients()
        least = self.retention.audit_days + DIGEST_DAYS_BEYOND_ENTRIES
        if self.audit.digest_days < least:
            raise ValueError(
                f"audit.digest_days: {self.audit.digest_days}; allowed: at least {least}, which is"
                f" {DIGEST_DAYS_BEYOND_ENTRIES} more than retention.audit_days, because an entry without"
                " its digest cannot be verified"
            )
        if not self.data_trail:
            raise ValueError(
                "data_trail: false; allowed: true, because without it nobody is told when a person"
                " reads real patients' data"
            )

    def _check_unbound_senders(self) -> None:
        """Raises `ValueError` where two senders that no connection binds have the same names."""
        unbound: dict[tuple[str, str], str] = {}
        for sender in self.senders:
            written = sender.sending_application, sender.sending_facility
            if not sender.bound:
                other = unbound.setdefault(written, sender.name)
                if other != sender.name:
                    raise ValueError(
                        f"senders: {other} and {sender.name} have the same MSH-3 and MSH-4;"
                        " allowed: the same only with different networks or certificates"
                    )

    def _check_ingress(self) -> None:
        """Raises `ValueError` where anybody in the network could send, or could read what is sent."""
        receiver = self.receiver
        if self.network is not None and not receiver.encrypted and not receiver.plain_text_because:
            raise ValueError(
                "receiver: no TLS; allowed: tls_secret, certificate_arn, or plain_text_because"
                " with the reason why messages are sent in clear"
            )
        if receiver.unknown_senders == "accept":
            if self.holds_real_patients:
                raise ValueError(
                    "receiver.unknown_senders: 'accept'; allowed: 'reject', because this"
                    " environment holds real patients"
                )
            return
        for sender in self.senders:
            if not sender.bound:
                raise ValueError(
                    f"senders: {sender.name} has neither networks nor certificates, so that its"
                    " messages are rejected; allowed: bound senders, or"
                    " receiver.unknown_senders = 'accept' where all patients are invented"
                )

    @property
    def holds_real_patients(self) -> bool:
        """Whether its patients are real: staging, prod, and every environment that records accesses to data."""
        return self.data_trail or self.name in HOLDS_REAL_PATIENTS

    @property
    def prefix(self) -> str:
        """Prefix of every physical name of this environment: `hl7-ens-dev`."""
        return f"hl7-ens-{self.name}"

    @property
    def vault_expiration_days(self) -> int:
        """Days after which the vault marks an object as deleted.

        Its bytes stay for `recovery_days`, and in backups for `backup.days`, so that the last copy is
        deleted after `vault_days`.
        """
        return self._expiration(self.retention.vault_days)

    @property
    def rejected_expiration_days(self) -> int:
        """Days after which the vault marks a rejected message as deleted, counted as for the others."""
        return self._expiration(self.retention.rejected_days or self.retention.vault_days)

    def _expiration(self, days: int) -> int:
        return days - self.retention.recovery_days - (self.backup.days if self.backup else 0)

    def runs_inside(self, step: str) -> bool:
        """Whether a function runs in the VPC: all or none, but LookupIdentities always with `mpi.networks`."""
        if self.network is None:
            return False
        return self.network.functions_inside or (
            step == "LookupIdentities" and bool(self.mpi.networks)
        )

    def configuration(self) -> str:
        """Returns the JSON document that receiver and functions read: format version, senders and policies.

        Values that are empty are left out. Both ends take the same version: `version` counts changes
        that an older reader cannot read.
        """
        senders = [_filled(asdict(sender), but="sample") for sender in self.senders]
        document = {
            "version": CONFIGURATION_VERSION,
            "environment": self.name,
            "senders": senders,
            "policies": [one.configuration() for one in self.policies],
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def placeholders(self) -> list[str]:
        """Returns each value that a deployer still has to set, as `<file>: <key>: <remedy>`.

        The list of the local environment is empty: it sends no mail.
        """
        return [] if self.network is None else unset_values(self)


def _filled(value: Any, but: str = "") -> Any:
    """The value without empty members, at every depth, and without the key `but`. A number is never empty."""
    if isinstance(value, dict):
        return {
            key: _filled(part)
            for key, part in value.items()
            if key != but and (part or type(part) is int)
        }
    return [_filled(part) for part in value] if isinstance(value, list | tuple) else value
