"""The values of an environment and of its senders, as frozen dataclasses.

Each key of the TOML files is a field of the same name. The JSON Schemas beside the files describe and
check each value; rules over several values are in `__post_init__`, which raises `ValueError`.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from environments.placeholders import unset_values

CONFIGURATION_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A hospital system that sends messages, known by its MSH-3.1 and MSH-4.1.

    `networks` and `certificates` bind it to connections (docs/receiver.md).
    """

    name: str
    sending_application: str
    sending_facility: str
    default_assigning_authority: str = ""
    time_zone: str = ""
    display_name: str = ""
    phone: str = ""
    networks: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    trigger_events: tuple[str, ...] = ()
    sample: bool = False


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
    lists").
    """

    cidr: str
    availability_zones: tuple[str, ...]
    prefix_lists: tuple[str, ...]
    sender_networks: tuple[str, ...]
    customer_gateways: tuple[CustomerGateway, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Number of receivers, where TLS ends, and which messages are accepted.

    TLS ends at the load balancer with `certificate_arn`, at the receiver with `tls_secret`. Without
    both, MLLP is plain TCP in the VPN. Empty `processing_ids`: P in prod, P, T and D elsewhere.
    `server_name` is the name in the certificate, and `smoke_secret` the ARN of a secret with what
    `ens smoke` needs for TLS: `ca`, and for mutual TLS `certificate` and `key`, in PEM.
    """

    desired: int = 2
    maximum: int = 6
    certificate_arn: str = ""
    tls_secret: str = ""
    server_name: str = ""
    smoke_secret: str = ""
    unknown_senders: Literal["accept", "refuse"] = "accept"
    processing_ids: tuple[Literal["P", "T", "D"], ...] = ()

    def __post_init__(self) -> None:
        if self.certificate_arn and self.tls_secret:
            raise ValueError("TLS ends at the load balancer or at the receiver, not at both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Origin and rules of notifications.

    `create` is False where SES already has the domain's identity. `rate` is in mails a second.
    """

    domain: str
    from_address: str
    create: bool = True
    rate: int = 1
    on_unknown: Literal["park", "resend_once"] = "park"
    full_in_clear: Literal["allowed", "forbidden"] = "allowed"
    smime_secret: str = ""
    smime_secret_key_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mdm:
    """The master patient index or provider directory outside (docs/identity.md), and the way to it.

    `settings` are the function's ENS_MDM_SETTINGS. `networks` and `port` are opened in the functions'
    security group. Without `secret_key_arn`, the secret is under AWS's own key.
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
class Environment:
    """One environment and the senders that it names. Empty `account`: that of the credentials.

    `max_receive_count` deliveries of a queue message, one every 12 minutes, end as a dead letter.
    Without `extract_concurrency` no Lambda concurrency is reserved.
    """

    name: str
    account: str = ""
    region: str = "us-east-1"
    target: Literal["lambda", "host"] = "lambda"
    network: Network | None = None
    receiver: Receiver = field(default_factory=Receiver)
    mail: Mail
    senders: tuple[Sender, ...] = ()
    unknown_patient: Literal["dead_letter", "end", "hold"]
    hold_minutes: int = 5
    mdm_backend: Literal["registry", "pixpdq", "fhir"] = "registry"
    mdm: Mdm = field(default_factory=Mdm)
    cost_mode: Literal["full", "coded", "off"] = "full"
    comprehend_rate: int = 40
    cache_days: int = 30
    text_limit: int = 50_000
    document_bytes: int = 1_000_000
    max_receive_count: int
    extract_concurrency: int | None = None
    alarm_addresses: tuple[str, ...] = ()
    alarm_topics: tuple[str, ...] = ()
    retain: bool
    deletion_protection: bool
    log_retention_days: Literal[1, 30, 90, 365]
    vault_retention_days: int

    def __post_init__(self) -> None:
        if self.unknown_patient == "hold" and not 0 < self.hold_minutes < self.max_receive_count:
            raise ValueError(
                f"hold_minutes: {self.hold_minutes}; each minute is a receive of the queue;"
                f" allowed: 1 to {self.max_receive_count - 1}, below max_receive_count"
            )
        unbound: dict[tuple[str, str], str] = {}
        for sender in self.senders:
            written = sender.sending_application, sender.sending_facility
            if not sender.networks and not sender.certificates:
                other = unbound.setdefault(written, sender.name)
                if other != sender.name:
                    raise ValueError(
                        f"senders: {other} and {sender.name} write the same MSH-3 and MSH-4;"
                        " allowed: the same only where networks or certificates tell them apart"
                    )

    @property
    def prefix(self) -> str:
        """Prefix of every physical name of this environment: `hl7-ens-dev`."""
        return f"hl7-ens-{self.name}"

    def configuration(self) -> str:
        """Returns the JSON document that receiver and functions read: format version and senders.

        Values that are empty are left out. Both ends take the same version: `version` counts changes
        that an older reader cannot read.
        """
        senders = [
            {key: value for key, value in asdict(sender).items() if value and key != "sample"}
            for sender in self.senders
        ]
        document = {"version": CONFIGURATION_VERSION, "environment": self.name, "senders": senders}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def placeholders(self) -> list[str]:
        """Returns each value that a deployer has still to set: `<file>: <key>: <what to do>`.

        The local environment sends no mail to anybody, so its list is empty.
        """
        return [] if self.network is None else unset_values(self)
