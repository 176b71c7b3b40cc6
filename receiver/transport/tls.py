"""Loads the server's certificate and key from files or Secrets Manager, and reloads renewed ones."""

import asyncio
import json
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError

from receiver.settings import ReceiverSettings, SettingError, TlsFiles
from receiver.storage.aws_client.calls import read_secret
from receiver.telemetry.log import Log, where

Material = tuple[bytes, bytes, bytes]
"""PEM texts: the certificate with its chain, its key, and the client authorities (may be empty)."""


class Tls:
    """The TLS context for new connections. Open connections keep theirs."""

    def __init__(self, settings: ReceiverSettings, log: Log) -> None:
        self._seconds = settings.tls_reload_seconds
        self._log = log
        self._read: Callable[[], Material] | None = None
        if settings.tls is not None:
            files = settings.tls
            self._read = lambda: _from_files(files)
        elif settings.tls_secret:
            self._read = lambda: _from_secret(settings.tls_secret)
        self._material: Material | None = None
        self.context: ssl.SSLContext | None = None

    def load(self) -> None:
        """Makes the first context; blocks. Raises `SettingError` when certificate and key do not match."""
        if self._read is None:
            return
        try:
            self._material = self._read()
            self.context = make_context(self._material)
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingError("TLS: certificate, key or authorities cannot be read") from None

    async def keep_fresh(self) -> None:
        """Reloads changed certificates, until cancelled. An unreadable one is logged and the old one stays."""
        while self._read is not None:
            await asyncio.sleep(self._seconds)
            try:
                material = await asyncio.to_thread(self._read)
                if material == self._material:
                    continue
                self.context = make_context(material)
            except (
                OSError,
                ValueError,
                KeyError,
                TypeError,
                BotoCoreError,
                ClientError,
            ) as error:
                self._log.error("TLS: the new certificate cannot be used", error=where(error))
            else:
                self._material = material
                self._log.info("TLS: a new certificate is in use")


def make_context(material: Material) -> ssl.SSLContext:
    """A server context with TLS 1.2 or newer. With authorities, clients must present a certificate.

    Raises `ssl.SSLError`, an `OSError`, when these are not a certificate and its key.
    """
    certificate, key, client_ca = material
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, certificate, key)
    if client_ca:
        context.load_verify_locations(cadata=client_ca.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(identity: Mapping[str, str]) -> ssl.SSLContext:
    """A client context with TLS 1.2 or newer, for the smoke test, which connects like a sender.

    `identity` may hold `ca`, and for mutual TLS `certificate` and `key`, in PEM. Without `ca` it
    trusts the authorities of the machine.
    """
    context = ssl.create_default_context(cadata=identity.get("ca") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if identity.get("certificate"):
        _show(context, identity["certificate"].encode(), identity["key"].encode())
    return context


def _show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Makes a certificate the one that the context shows."""
    with _InMemory(certificate) as certificate_file, _InMemory(key) as key_file:
        # An empty password keeps OpenSSL from asking for one on the terminal.
        context.load_cert_chain(certificate_file, key_file, password="")


def _from_files(files: TlsFiles) -> Material:
    client_ca = Path(files.client_ca).read_bytes() if files.client_ca else b""
    return Path(files.certificate).read_bytes(), Path(files.key).read_bytes(), client_ca


def _from_secret(secret_id: str) -> Material:
    """The secret's JSON: `certificate`, `key` and, for mutual TLS, `client_ca`, in PEM."""
    document = json.loads(read_secret(secret_id))
    return (
        document["certificate"].encode(),
        document["key"].encode(),
        document.get("client_ca", "").encode(),
    )


class _InMemory:
    """A path to these bytes, because OpenSSL reads keys from paths only. On Linux it is in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._file: IO[bytes]

    def __enter__(self) -> str:
        if hasattr(os, "memfd_create"):
            self._file = os.fdopen(os.memfd_create("tls"), "wb")
            path = f"/proc/self/fd/{self._file.fileno()}"
        else:
            self._file = tempfile.NamedTemporaryFile()
            path = self._file.name
        self._file.write(self._content)
        self._file.flush()
        return path

    def __exit__(self, *_: object) -> None:
        self._file.close()
