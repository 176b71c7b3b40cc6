"""An environment's file as a frozen dataclass, with the rules over several of its tables.

Each key of the TOML files is a field of the same name. The JSON Schemas beside the files describe and
check each value; rules over several values are in `__post_init__`, which raises `ValueError`.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from environments.placeholders import unset_values
from environments.policy import PolicyFile
from environments.retention import Retention
from environments.sections import (
    DIGEST_DAYS_BEYOND_ENTRIES,
    AuditSection,
    Backup,
    MailSection,
    MpiSection,
    Network,
    PeopleSection,
    ReceiverSection,
)
from environments.sender import Sender

CONFIGURATION_VERSION = 1
HOLDS_REAL_PATIENTS = frozenset({"staging", "prod"})
"""Environments with real patients, whatever their files say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment and its senders. Empty `account`: the account of the credentials.

    `max_receive_count` deliveries of a queue message, one every 12 minutes, end as a dead letter. Without
    `extract_concurrency` no Lambda concurrency is reserved. `comprehend_rate` and `comprehend_characters`
    are quotas a second of each operation of Comprehend Medical, shared by all functions;
    `findings_wait_seconds` is the longest time that an event waits for this quota. `log_execution_data`
    adds the input and output of every state to the workflow's log (docs/cost.md). `data_trail` records
    every access to vault, registry, MPI cache and encounters in CloudTrail. `backup` None makes no backups.
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
    def analyses_notes(self) -> bool:
        """Whether notes are sent to Comprehend Medical, which must then exist in the region."""
        return self.cost_mode != "off"

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
