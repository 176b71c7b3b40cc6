"""Reads the configuration document in S3 at start, and again after each change."""

import asyncio
import json
import random
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

from receiver.errors import StoreUnavailableError
from receiver.intake.sender_table import SenderBinding, SenderTable
from receiver.settings import ReceiverSettings, SettingError
from receiver.storage.aws_client.calls import Aws, Call, ServiceRefusedError
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics

VERSION = 1
"""The format that this code reads (`environments.Environment.configuration`)."""

_NOT_MODIFIED = 304
_JITTER = 0.2  # part of the interval by which it varies, so that receivers do not poll together


class SenderConfiguration:
    """Holds the sender table of the newest usable document.

    `table` is replaced as a whole. Connections compare it by identity at each message, so an
    open connection uses the new table from its next message on.
    """

    def __init__(self, settings: ReceiverSettings, aws: Aws, metrics: Metrics, log: Log) -> None:
        self._settings = settings
        self._aws = aws
        self._metrics = metrics
        self._log = log
        self._etag = ""
        self.table = SenderTable((), refuse_unknown=True)

    async def load(self) -> None:
        """Reads the document for the first time.

        Raises `SettingError` for an unusable one, `StoreUnavailableError` when S3 returns none.
        """
        await self._renew()

    async def keep_fresh(self) -> None:
        """Loads each changed document, until cancelled. An unusable one is logged and changes nothing."""
        while True:
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER)
            await asyncio.sleep(self._settings.configuration_seconds * jitter)
            try:
                if await self._renew():
                    self._log.info("configuration: a new document is in use", etag=self._etag)
            except (SettingError, StoreUnavailableError) as error:
                self._metrics.count("ConfigurationNotUsed")
                self._log.error("configuration: the document before it stays", error=str(error))

    async def _renew(self) -> bool:
        """Loads the document if it has changed, and returns whether it has."""
        headers = {"if-none-match": self._etag} if self._etag else {}
        path = self._aws.configuration_path + quote(self._settings.configuration_key)
        try:
            answer = await self._aws.configuration.call(Call("GetObject", "GET", path, headers))
        except ServiceRefusedError as refusal:
            if refusal.status == _NOT_MODIFIED:
                return False
            raise
        senders = await asyncio.to_thread(read_senders, answer.body, self._settings.environment)
        self.table = SenderTable(senders, refuse_unknown=self._settings.unknown_senders == "refuse")
        self._etag = answer.headers.get(b"etag", b"").decode()
        return True


def read_senders(document: bytes, environment: str) -> tuple[SenderBinding, ...]:
    """Returns the senders of a document of this environment.

    Raises `SettingError` with the position of the fault.
    """
    try:
        content = json.loads(document)
        version, of, entries = content["version"], content["environment"], content["senders"]
    except (ValueError, KeyError, TypeError):
        raise SettingError(
            "configuration: not a JSON object with version, environment and senders"
        ) from None
    if version != VERSION:
        raise SettingError(f"configuration: its version is not {VERSION}")
    if of != environment:
        raise SettingError("configuration: it belongs to another environment")
    if not isinstance(entries, list):
        raise SettingError("configuration: senders is not a list")
    return tuple(_sender(index, entry) for index, entry in enumerate(entries))


def _sender(index: int, entry: Any) -> SenderBinding:
    try:
        return SenderBinding(
            name=_text(entry["name"]),
            sending_application=_text(entry["sending_application"]),
            sending_facility=_text(entry["sending_facility"]),
            networks=tuple(map(ip_network, _texts(entry.get("networks", [])))),
            certificates=frozenset(_texts(entry.get("certificates", []))),
            trigger_events=frozenset(_texts(entry.get("trigger_events", []))),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingError(f"configuration: senders[{index}] is not a sender") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list):
        raise TypeError
    return [_text(value) for value in values]
