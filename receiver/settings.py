"""Reads the receiver's settings from environment variables, once, at start."""

import base64
import json
import lzma
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TypeVar

from receiver.intake.rejections import PROCESSING_IDS, accepted_processing_ids
from receiver.intake.sender_table import Network

Number = TypeVar("Number", int, float)

_MIN_SECONDS = 0.05  # a timeout of 0 would expire at once

HEALTH_PORT = 17001
"""Default of ENS_HEALTH_PORT."""


class SettingError(Exception):
    """Raised for a missing or unreadable setting. The text names the variable, not its value."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files: the server's certificate with its chain, its key, and client authorities.

    With `client_ca` every client must present a certificate of one of these authorities (mutual TLS).
    `crl` holds their revocation lists.
    """

    certificate: str
    key: str
    client_ca: str = ""
    crl: str = ""


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Storage, addresses and limits. Times are in seconds, sizes in bytes.

    `store_seconds` limits the time from a complete frame to its answer and must be below the sender's
    timeout. `stop_seconds` plus `store_seconds` must be below the platform's limit between SIGTERM and
    SIGKILL. `ca_bundle` is the file of the authorities that AWS's endpoints are checked with; "" for
    botocore's own.
    """

    environment: str
    vault_bucket: str
    queue_url: str
    reference_key_secret: str
    configuration_bucket: str
    configuration_key: str
    receiver_id: str
    configuration_seconds: float = 60.0
    mllp_host: str = "0.0.0.0"  # noqa: S104  a container's port is opened by its network, not here
    mllp_port: int = 17000
    health_port: int = HEALTH_PORT
    max_message_bytes: int = 2 * 1024 * 1024
    max_connections: int = 1000
    max_connections_per_peer: int = 250
    max_held_bytes: int = 96 * 1024 * 1024
    rejected_kept: int = 100
    rejected_kept_bytes: int = 20 * 1024 * 1024
    max_in_flight: int = 8
    idle_seconds: float = 86_400.0
    frame_seconds: float = 60.0
    end_block_seconds: float = 0.5
    store_connections: int = 64
    queue_linger_seconds: float = 0.002
    store_seconds: float = 9.0
    stop_seconds: float = 15.0
    processing_ids: frozenset[str] = PROCESSING_IDS
    unknown_senders: str = "reject"
    proxy_networks: tuple[Network, ...] = ()
    tls: TlsFiles | None = None
    tls_secret: str = ""
    tls_handshake_seconds: float = 10.0
    tls_reload_seconds: float = 60.0
    ca_bundle: str = ""


@dataclass(frozen=True, slots=True)
class SmokeSettings:
    """The address to which the smoke client sends its messages, and the messages as JSON objects `probe`, `message`.

    `identity` has PEM texts: `ca`, and for mutual TLS `certificate` and `key`.
    """

    host: str
    port: int
    tls: bool
    server_name: str
    identity: dict[str, str] = field(repr=False)
    messages: list[dict[str, str]] = field(repr=False)


def read_smoke_settings() -> SmokeSettings:
    """The settings of `receiver.smoke_client`. Raises `KeyError` with a missing variable's name."""
    environment = os.environ
    packed = base64.b64decode(environment["ENS_SMOKE_MESSAGES"])
    host = environment["ENS_SMOKE_HOST"]
    return SmokeSettings(
        host=host,
        port=int(environment["ENS_SMOKE_PORT"]),
        tls=environment.get("ENS_SMOKE_TLS") == "on",
        server_name=environment.get("ENS_SMOKE_SERVER_NAME") or host,
        identity=json.loads(environment.get("ENS_SMOKE_IDENTITY") or "{}"),
        messages=json.loads(lzma.decompress(packed)),
    )


def read_health_port() -> int:
    """The port of the health checks (ENS_HEALTH_PORT)."""
    return int(os.environ.get("ENS_HEALTH_PORT") or HEALTH_PORT)


def read_settings(environment: Mapping[str, str] = os.environ) -> ReceiverSettings:
    """Returns the settings in these environment variables.

    Raises `SettingError`, which names the first variable that is missing or wrong.
    """

    def required(name: str) -> str:
        value = environment.get(name, "")
        if not value:
            raise SettingError(f"{name} is not set")
        return value

    def number(
        name: str, kind: Callable[[str], Number], default: Number, least: float = 1
    ) -> Number:
        try:
            value = kind(environment[name]) if environment.get(name) else default
        except ValueError:
            raise SettingError(f"{name} is not a number") from None
        if not least <= value < float("inf"):
            raise SettingError(f"{name} is below {least} or not finite")
        return value

    def seconds(name: str, default: float, least: float = _MIN_SECONDS) -> float:
        return number(name, float, default, least)

    # The defaults are those of `ReceiverSettings`.
    fallback = ReceiverSettings("", "", "", "", "", "", "")
    return ReceiverSettings(
        environment=required("ENS_ENVIRONMENT"),
        vault_bucket=required("ENS_VAULT_BUCKET"),
        queue_url=required("ENS_QUEUE_URL"),
        reference_key_secret=required("ENS_REFERENCE_KEY_SECRET"),
        configuration_bucket=required("ENS_CONFIGURATION_BUCKET"),
        configuration_key=required("ENS_CONFIGURATION_KEY"),
        configuration_seconds=seconds("ENS_CONFIGURATION_SECONDS", fallback.configuration_seconds),
        receiver_id=_receiver_id(environment),
        mllp_host=environment.get("ENS_MLLP_HOST") or fallback.mllp_host,
        mllp_port=number("ENS_MLLP_PORT", int, fallback.mllp_port, least=0),
        health_port=number("ENS_HEALTH_PORT", int, fallback.health_port, least=0),
        max_message_bytes=number("ENS_MAX_MESSAGE_BYTES", int, fallback.max_message_bytes),
        max_connections=number("ENS_MAX_CONNECTIONS", int, fallback.max_connections),
        max_connections_per_peer=number(
            "ENS_MAX_CONNECTIONS_PER_PEER", int, fallback.max_connections_per_peer
        ),
        max_held_bytes=number("ENS_MAX_HELD_BYTES", int, fallback.max_held_bytes),
        rejected_kept=number("ENS_REJECTED_KEPT", int, fallback.rejected_kept, least=0),
        rejected_kept_bytes=number(
            "ENS_REJECTED_KEPT_BYTES", int, fallback.rejected_kept_bytes, least=0
        ),
        max_in_flight=number("ENS_MAX_IN_FLIGHT", int, fallback.max_in_flight),
        idle_seconds=seconds("ENS_IDLE_SECONDS", fallback.idle_seconds),
        frame_seconds=seconds("ENS_FRAME_SECONDS", fallback.frame_seconds),
        end_block_seconds=seconds("ENS_END_BLOCK_SECONDS", fallback.end_block_seconds),
        store_connections=number("ENS_STORE_CONNECTIONS", int, fallback.store_connections),
        queue_linger_seconds=seconds(
            "ENS_QUEUE_LINGER_SECONDS", fallback.queue_linger_seconds, least=0
        ),
        store_seconds=seconds("ENS_STORE_SECONDS", fallback.store_seconds),
        stop_seconds=seconds("ENS_STOP_SECONDS", fallback.stop_seconds),
        processing_ids=_processing_ids(environment),
        unknown_senders=_choice(environment, "ENS_UNKNOWN_SENDERS", ("reject", "accept")),
        proxy_networks=_networks(environment, "ENS_PROXY_NETWORKS"),
        tls=_tls_files(environment),
        tls_secret=environment.get("ENS_TLS_SECRET", ""),
        tls_handshake_seconds=seconds("ENS_TLS_HANDSHAKE_SECONDS", fallback.tls_handshake_seconds),
        tls_reload_seconds=seconds("ENS_TLS_RELOAD_SECONDS", fallback.tls_reload_seconds),
        ca_bundle=environment.get("AWS_CA_BUNDLE", ""),
    )


def _processing_ids(environment: Mapping[str, str]) -> frozenset[str]:
    chosen = _listed(environment, "ENS_PROCESSING_IDS")
    if not PROCESSING_IDS.issuperset(chosen):
        raise SettingError("ENS_PROCESSING_IDS is not a comma-separated list of P, T and D")
    return accepted_processing_ids(environment.get("ENS_ENVIRONMENT", ""), chosen)


def _choice(environment: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    chosen = environment.get(name) or values[0]
    if chosen not in values:
        raise SettingError(f"{name} is not one of {', '.join(values)}")
    return chosen


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    """A variable's comma-separated values."""
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _networks(environment: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(map(ip_network, _listed(environment, name)))
    except ValueError:
        raise SettingError(f"{name} is not a comma-separated list of networks (CIDR)") from None


def _tls_files(environment: Mapping[str, str]) -> TlsFiles | None:
    certificate = environment.get("ENS_TLS_CERTIFICATE_FILE", "")
    key = environment.get("ENS_TLS_KEY_FILE", "")
    client_ca = environment.get("ENS_TLS_CLIENT_CA_FILE", "")
    crl = environment.get("ENS_TLS_CRL_FILE", "")
    if not (certificate or key or client_ca or crl):
        return None
    for name, value in (("ENS_TLS_CERTIFICATE_FILE", certificate), ("ENS_TLS_KEY_FILE", key)):
        if not value:
            raise SettingError(f"{name} is not set")
    if environment.get("ENS_TLS_SECRET"):
        raise SettingError("ENS_TLS_SECRET and ENS_TLS_CERTIFICATE_FILE are both set: unset one")
    if crl and not client_ca:
        raise SettingError("ENS_TLS_CRL_FILE is set without ENS_TLS_CLIENT_CA_FILE")
    return TlsFiles(certificate, key, client_ca, crl)


def _receiver_id(environment: Mapping[str, str]) -> str:
    """The receiver's id in envelopes: ENS_RECEIVER_ID, else the ECS task's id, else the host name.

    The metadata address ends in `/v4/<task id>-<container>` (Amazon ECS Developer Guide, "Task metadata
    endpoint version 4").
    """
    address = environment.get("ECS_CONTAINER_METADATA_URI_V4", "")
    task = address.rpartition("/")[2].partition("-")[0]
    return environment.get("ENS_RECEIVER_ID") or task or socket.gethostname()
