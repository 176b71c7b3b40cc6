"""The tables of an environment's file as frozen dataclasses, except `[retention]` (retention.py).

Rules over several values of a table are in `__post_init__`, which raises `ValueError`.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any, Literal

from environments.retention import SIX_YEARS

DIGEST_DAYS_BEYOND_ENTRIES = 31
"""Days that a digest is kept longer than its entries: nearly all events have all their entries within them."""

LARGEST_VPC = 16
"""The shortest prefix of a VPC (Amazon VPC user guide, "VPC CIDR blocks")."""
SUBNET_MASK = 26
"""The prefix of the subnet in each zone: 59 addresses for receivers, functions and endpoints."""
SUBNET_ADDRESSES = 2 ** (32 - SUBNET_MASK)


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

    def __post_init__(self) -> None:
        vpc = IPv4Network(self.cidr)
        needed = SUBNET_ADDRESSES * len(self.availability_zones)
        if vpc.prefixlen < LARGEST_VPC or vpc.num_addresses < needed:
            raise ValueError(
                f"cidr: {self.cidr} ({vpc.num_addresses} addresses); allowed: /{LARGEST_VPC} or smaller,"
                f" with at least {needed} addresses, {SUBNET_ADDRESSES} for each zone"
            )
        names = Counter(gateway.name for gateway in self.customer_gateways)
        for name in (name for name, count in names.items() if count > 1):
            raise ValueError(
                f"customer_gateways: {names[name]} have the name {name}; allowed: a name of its own for"
                " each, because each name makes one VPN connection"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSection:
    """Table `[receiver]`: number of receivers, TLS, and the messages that are accepted.

    TLS ends at the load balancer with `certificate_arn`, at the receiver with `tls_secret`. Without
    both, MLLP is plain TCP in the VPN, and `plain_text_because` has to say why. `server_name` is the
    name in the certificate. `smoke_secret` is the ARN of a secret for `ens smoke`: `ca`, and for mutual
    TLS `certificate` and `key`, in PEM. Empty `processing_ids`: P in prod, P, T and D elsewhere.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSection:
    """Table `[audit]`: the seal keys and the daily digests of the audit trail.

    `seal_keys` is the number of KMS keys made so far: the newest seals, older ones verify. A higher
    number is a rotation. `digest_lock` is the mode of S3 Object Lock on the digests, which keeps them
    for `digest_days`: nobody can delete them in mode `compliance`, only principals with
    s3:BypassGovernanceRetention in `governance` (Amazon S3 User Guide, "Locking objects with Object
    Lock"). An expired entry is told from a missing one by the digest of its day, also when a later entry
    of its event is still kept.
    """

    seal_keys: int = 1
    digest_lock: Literal["none", "governance", "compliance"] = "none"
    digest_days: int = SIX_YEARS + DIGEST_DAYS_BEYOND_ENTRIES
