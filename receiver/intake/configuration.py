"""Reads the senders from the configuration document in S3, at start and after each change."""

import asyncio
import json
import random
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

from receiver.errors import StoreUnavailableError
from receiver.intake.client_certificate import (
    ATTRIBUTE_TYPES,
    Attributes,
    CertificateBinding,
    attributes,
)
from receiver.intake.sender_table import SenderBinding, SenderTable
from receiver.settings import ReceiverSettings, SettingError
from receiver.storage.aws_client.calls import Aws, Call, ServiceResponseError
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics

VERSION = 1
"""The format that this code reads (`environments.Environment.configuration`)."""

SENDER_KEYS = frozenset(
    {"name", "sending_application", "sending_facility", "networks", "certificates"}
    | {"trigger_events", "default_assigning_authority", "assigning_authorities", "identifier_alone"}
    | {"time_zone", "date_order", "display_name", "phone", "encounters"}
    | {"test_patient_names", "test_patient_identifiers"}
    | {"patient_classes", "admission_types", "sexes", "dispositions", "units"}
    | {"facilities", "facility_names"}
    | {"jurisdiction", "not_vip_codes"}
    | {"sensitive_units", "sensitive_services", "sensitive_diagnoses"}
)
"""The keys of a sender. Any other is an error: a misspelt `networks` would leave the sender unbound."""

_CERTIFICATE_KEYS = frozenset({"issuer", "subject", "dns_name"})
_NOT_MODIFIED = 304
_START_CALLS, _START_PAUSE_SECONDS = 5, 1.0  # each call is tried twice
_JITTER = 0.2  # part of the interval by which it varies, so that receivers do not poll together


class SenderConfiguration:
    """Holds the sender table of the newest usable document.

    `table` is replaced by another object after each change. A connection compares it by identity at each
    message, so an open connection uses the new table from its next message on.
    """

    def __init__(self, settings: ReceiverSettings, aws: Aws, metrics: Metrics, log: Log) -> None:
        self._settings = settings
        self._aws = aws
        self._metrics = metrics
        self._log = log
        self._etag = ""
        self.table = SenderTable((), reject_unknown=True)

    async def load(self) -> None:
        """Reads the first document. A transient failure is tried again for some seconds.

        Raises `SettingError` when it cannot be used, `StoreUnavailableError` when S3 returns none.
        """
        for call in range(1, _START_CALLS + 1):
            try:
                await self._renew()
                return
            except StoreUnavailableError as error:
                if error.is_final or call == _START_CALLS:
                    raise
                self._log.warning("configuration: S3 is asked again", error=str(error))
            await asyncio.sleep(_START_PAUSE_SECONDS)

    async def keep_fresh(self) -> None:
        """Loads each changed document, until cancelled. A document that cannot be used is logged and ignored."""
        while True:
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER)
            await asyncio.sleep(self._settings.configuration_seconds * jitter)
            try:
                if await self._renew():
                    self._log.info("configuration: new document in use", etag=self._etag)
            except (SettingError, StoreUnavailableError) as error:
                self._metrics.count("ConfigurationNotUsed")
                self._log.error("configuration: previous document stays in use", error=str(error))

    async def _renew(self) -> bool:
        """Loads the document if it has changed (`If-None-Match`). Returns whether it has."""
        headers = {"if-none-match": self._etag} if self._etag else {}
        path = self._aws.configuration_path + quote(self._settings.configuration_key)
        try:
            answer = await self._aws.configuration.call(Call("GetObject", "GET", path, headers))
        except ServiceResponseError as error:
            if error.status == _NOT_MODIFIED:
                return False
            raise
        senders = await asyncio.to_thread(read_senders, answer.body, self._settings.environment)
        self.table = SenderTable(senders, reject_unknown=self._settings.unknown_senders == "reject")
        self._etag = answer.headers.get(b"etag", b"").decode()
        return True


def read_senders(document: bytes, environment: str) -> tuple[SenderBinding, ...]:
    """Returns the senders in a configuration document.

    Raises `SettingError` when it is not of this format version or environment; the text names the part.
    """
    try:
        content = json.loads(document)
        version, of, entries = content["version"], content["environment"], content["senders"]
    except (ValueError, KeyError, TypeError):
        raise SettingError(
            "configuration: not a JSON object with version, environment and senders"
        ) from None
    if version != VERSION:
        raise SettingError(f"configuration: version is not {VERSION}, which this receiver reads")
    if of != environment:
        raise SettingError("configuration: environment is not ENS_ENVIRONMENT")
    if not isinstance(entries, list):
        raise SettingError("configuration: senders is not a list")
    return tuple(_sender(index, entry) for index, entry in enumerate(entries))


def _sender(index: int, entry: Any) -> SenderBinding:
    where = f"configuration: senders[{index}]"
    try:
        _known(entry, SENDER_KEYS)
        return SenderBinding(
            name=_text(entry["name"]),
            sending_application=_text(entry["sending_application"]),
            sending_facility=_text(entry["sending_facility"]),
            networks=tuple(map(ip_network, _texts(entry.get("networks", [])))),
            certificates=tuple(map(_certificate, _list(entry.get("certificates", [])))),
            trigger_events=frozenset(_texts(entry.get("trigger_events", []))),
        )
    except UnknownKeyError as error:
        raise SettingError(f"{where} has the unknown key {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingError(f"{where} is not a sender") from None


class UnknownKeyError(Exception):
    """Raised for a key of the document that this receiver does not know. The text is the key."""


def _certificate(entry: Any) -> CertificateBinding:
    _known(entry, _CERTIFICATE_KEYS)
    subject = _attributes(entry["subject"]) if entry.get("subject") else frozenset()
    dns_name = _text(entry["dns_name"]) if entry.get("dns_name") else ""
    if not (subject or dns_name):
        raise ValueError
    return CertificateBinding(_attributes(entry["issuer"]), subject, dns_name)


def _attributes(entry: Any) -> Attributes:
    """A distinguished name: a value or a list of values for each attribute type."""
    _known(entry, frozenset(ATTRIBUTE_TYPES.values()))
    pairs = [
        (kind, value)
        for kind, values in entry.items()
        for value in _texts(values if isinstance(values, list) else [values])
    ]
    if not pairs:
        raise ValueError
    return attributes(pairs)


def _known(entry: Any, keys: frozenset[str]) -> None:
    if not isinstance(entry, dict):
        raise TypeError
    for key in entry:
        if key not in keys:
            raise UnknownKeyError(key)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError
    return values


def _texts(values: Any) -> list[str]:
    return [_text(value) for value in _list(values)]
