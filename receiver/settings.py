"""What the receiver reads from its environment, once, at start."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Number = TypeVar("Number", int, float)

_SHORTEST = 0.05  # seconds; a limit of 0 would be met before it began


class SettingError(Exception):
    """A setting is missing or cannot be read. The text names the variable, never its value."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender by its configured name, and what it writes in MSH-3.1 and MSH-4.1."""

    name: str
    sending_application: str
    sending_facility: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to store, where to listen, and how much to bear. Times are seconds, sizes bytes.

    `store_seconds` is the time from a whole frame to its answer: it must lie below the sender's own
    patience. `stop_seconds` plus `store_seconds` must lie below the platform's kill after SIGTERM.
    """

    environment: str
    vault_bucket: str
    queue_url: str
    reference_key_secret: str
    senders: tuple[Sender, ...]
    receiver_id: str
    mllp_host: str = "0.0.0.0"  # noqa: S104  a container's port is opened by its network, not here
    mllp_port: int = 17000
    health_port: int = 17001
    max_message_bytes: int = 2 * 1024 * 1024
    max_connections: int = 1000
    max_in_flight: int = 8
    idle_seconds: float = 86_400.0
    frame_seconds: float = 60.0
    end_block_seconds: float = 0.5
    store_threads: int = 32
    store_seconds: float = 9.0
    stop_seconds: float = 15.0

    def sender_name(self, sending_application: str, sending_facility: str) -> str:
        """The configured name of who writes these into MSH-3.1 and MSH-4.1, or `unknown`."""
        for sender in self.senders:
            if (sender.sending_application, sender.sending_facility) == (
                sending_application,
                sending_facility,
            ):
                return sender.name
        return "unknown"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in environment variables; `SettingError` names the first that is missing or wrong."""

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
            raise SettingError(f"{name} is below {least}, or not finite")
        return value

    # The one place where the names of variables stand; the class above holds the defaults.
    fallback = Settings("", "", "", "", (), "")
    return Settings(
        environment=required("ENS_ENVIRONMENT"),
        vault_bucket=required("ENS_VAULT_BUCKET"),
        queue_url=required("ENS_QUEUE_URL"),
        reference_key_secret=required("ENS_REFERENCE_KEY_SECRET"),
        senders=_senders(required("ENS_SENDERS")),
        receiver_id=_receiver_id(environment),
        mllp_host=environment.get("ENS_MLLP_HOST") or fallback.mllp_host,
        mllp_port=number("ENS_MLLP_PORT", int, fallback.mllp_port, least=0),
        health_port=number("ENS_HEALTH_PORT", int, fallback.health_port, least=0),
        max_message_bytes=number("ENS_MAX_MESSAGE_BYTES", int, fallback.max_message_bytes),
        max_connections=number("ENS_MAX_CONNECTIONS", int, fallback.max_connections),
        max_in_flight=number("ENS_MAX_IN_FLIGHT", int, fallback.max_in_flight),
        idle_seconds=number("ENS_IDLE_SECONDS", float, fallback.idle_seconds, least=_SHORTEST),
        frame_seconds=number("ENS_FRAME_SECONDS", float, fallback.frame_seconds, least=_SHORTEST),
        end_block_seconds=number(
            "ENS_END_BLOCK_SECONDS", float, fallback.end_block_seconds, least=_SHORTEST
        ),
        store_threads=number("ENS_STORE_THREADS", int, fallback.store_threads),
        store_seconds=number("ENS_STORE_SECONDS", float, fallback.store_seconds, least=_SHORTEST),
        stop_seconds=number("ENS_STOP_SECONDS", float, fallback.stop_seconds, least=_SHORTEST),
    )


def _senders(text: str) -> tuple[Sender, ...]:
    try:
        return tuple(
            Sender(
                name=str(entry["name"]),
                sending_application=str(entry["sending_application"]),
                sending_facility=str(entry["sending_facility"]),
            )
            for entry in json.loads(text)
        )
    except (ValueError, KeyError, TypeError):
        raise SettingError("ENS_SENDERS is not a JSON list of senders") from None


def _receiver_id(environment: Mapping[str, str]) -> str:
    """Which receiver took a message: the ECS task's id where there is one, else the host's name.

    On Fargate the metadata address ends in `/v4/<task id>-<container>` (ECS task metadata endpoint 4).
    """
    address = environment.get("ECS_CONTAINER_METADATA_URI_V4", "")
    task = address.rpartition("/")[2].partition("-")[0]
    return environment.get("ENS_RECEIVER_ID") or task or socket.gethostname()
