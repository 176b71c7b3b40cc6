"""The values of an environment and of its senders, as frozen dataclasses.

Each key of the TOML files has a field of the same name here; the JSON Schemas describe and check it.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A hospital system that sends to us, known by its MSH-3.1 and MSH-4.1.

    `networks` (CIDR) and `certificates` (a client certificate's CN, DNS name or whole subject) bind it
    to connections; `trigger_events` are the only ones that it may send (docs/receiver.md).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGateway:
    """The hospital's end of a Site-to-Site VPN: its public address, its BGP number, its networks."""

    name: str
    ip: str
    asn: int = 65000
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The VPC of an environment and who may reach the receiver in it.

    `prefix_lists` are AWS's own lists of the addresses behind the S3 and DynamoDB gateway endpoints
    of the region (`aws ec2 describe-managed-prefix-lists`): a security group can name no other way
    to them short of the whole internet.
    """

    cidr: str
    availability_zones: tuple[str, ...]
    prefix_lists: tuple[str, ...]
    sender_networks: tuple[str, ...]
    customer_gateways: tuple[CustomerGateway, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """How many receivers run, where TLS ends, and whom they take.

    TLS ends at the load balancer with `certificate_arn`, at the receiver with `tls_secret` (the ARN of
    a secret with certificate, key and, for mutual TLS, client_ca), nowhere without both: plain TCP in
    the VPN. `processing_ids` empty: P in prod, P, T and D elsewhere. `server_name` is the name in the
    certificate, and `smoke_secret` the ARN of a secret with what `ens smoke` needs for TLS: `ca`, and
    for mutual TLS `certificate` and `key`, in PEM.
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
    """From where notifications are sent; `create` is False where the domain's identity exists in SES.

    `rate` is the account's sending rate in mails a second (SES console, 1 in the sandbox). `on_unknown`
    says whether a mail that may or may not have gone is sent once more after ten minutes without a
    word from SES. `full_in_clear` forbidden makes every mail that is not encrypted a minimal one.
    `smime_secret` is the ARN of the secret with our S/MIME key and the trusted authorities, under
    `smime_secret_key_arn` where that is not AWS's own key.
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

    `settings` is what the function is told (ENS_MDM_SETTINGS); `secret_arn` holds certificates and
    keys, under `secret_key_arn` where that is not AWS's own key; `networks` and `port` are opened in
    the functions' security group. `providers` says who answers for providers.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    providers: Literal["registry", "fhir"] = "registry"
    secret_arn: str = ""
    secret_key_arn: str = ""
    networks: tuple[str, ...] = ()
    port: int = 443

    def settings_json(self) -> str:
        """The settings as the function reads them."""
        return json.dumps(self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment. `account` empty means the account of whoever deploys.

    `unknown_patient` says what becomes of an event whose patient the MDM does not know: a dead letter,
    a good ending, or a dead letter after `hold_minutes`, for a registration that is still on its way;
    `max_receive_count` how often the queue delivers before it gives up (every 12 minutes, so that 40
    is about eight hours of outage); `target` for which machine the functions' packages are built.
    `cost_mode` says what Comprehend Medical is asked (docs/cost.md), `comprehend_rate` how many requests
    a second the account may send it, which `extract_concurrency` functions share (20 are reckoned with
    where none are reserved), `cache_days` how long an analysis answers the same note again, `text_limit`
    how many characters of one event are analysed, `document_bytes` how much of its documents is taken.
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
                "each minute of hold_minutes is a receive: less than max_receive_count"
            )

    @property
    def prefix(self) -> str:
        """What every name of this environment begins with: `hl7-ens-dev`."""
        return f"hl7-ens-{self.name}"

    def senders_json(self) -> str:
        """The senders as functions and receiver read them (ENS_SENDERS); empty facts are left out."""
        return json.dumps([{k: v for k, v in asdict(s).items() if v} for s in self.senders])

    def placeholders(self) -> list[str]:
        """What a deployer has still to fill in, one sentence each; empty for the local environment."""
        if self.network is None:
            return []
        gaps = {
            f"mail.domain is still {self.mail.domain}": self.mail.domain.endswith(".example"),
            "nobody is told of alarms: alarm_addresses and alarm_topics are placeholders or empty": (
                not self.alarm_topics and all(a.endswith(".example") for a in self.alarm_addresses)
            ),
            "no sender is known": all(s.name == "smoke" for s in self.senders),
        }
        return [sentence for sentence, applies in gaps.items() if applies]
