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
"""Three PEM texts: certificate with chain, private key, client authorities (b"" without mutual TLS)."""


class Tls:
    """The TLS context for new connections. Open connections continue with their earlier context."""

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
        """Builds the first context. Blocks. Raises `SettingError` when a PEM text cannot be used."""
        if self._read is None:
            return
        try:
            self._material = self._read()
            self.context = make_context(self._material)
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingError(
                "ENS_TLS_SECRET or ENS_TLS_*_FILE: not readable as a PEM certificate, its key and"
                " client authorities"
            ) from None

    async def keep_fresh(self) -> None:
        """Loads changed certificates, until cancelled. One that cannot be used is logged and ignored."""
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
                self._log.error(
                    "TLS: new certificate cannot be used; previous one stays in use",
                    error=where(error),
                )
            else:
                self._material = material
                self._log.info("TLS: new certificate in use")


def make_context(material: Material) -> ssl.SSLContext:
    """Returns a server context with TLS 1.2 or newer. With client authorities it requires a certificate.

    Raises `ssl.SSLError`, an `OSError`, when certificate and key do not belong together.
    """
    certificate, key, client_ca = material
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_chain(context, certificate, key)
    if client_ca:
        context.load_verify_locations(cadata=client_ca.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(identity: Mapping[str, str]) -> ssl.SSLContext:
    """Returns a client context with TLS 1.2 or newer, for the smoke test.

    `identity` may hold PEM texts: `ca`, and for mutual TLS `certificate` and `key`. Without `ca` the
    authorities of the machine are trusted.
    """
    context = ssl.create_default_context(cadata=identity.get("ca") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if identity.get("certificate"):
        _load_chain(context, identity["certificate"].encode(), identity["key"].encode())
    return context


def _load_chain(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Loads the certificate that the context presents, with its key."""
    with _InMemory(certificate) as certificate_file, _InMemory(key) as key_file:
        # Without a password argument OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate_file, key_file, password="")


def _from_files(files: TlsFiles) -> Material:
    client_ca = Path(files.client_ca).read_bytes() if files.client_ca else b""
    return Path(files.certificate).read_bytes(), Path(files.key).read_bytes(), client_ca


def _from_secret(secret_id: str) -> Material:
    """Reads the secret's JSON: `certificate`, `key` and, for mutual TLS, `client_ca`, in PEM."""
    document = json.loads(read_secret(secret_id))
    return (
        document["certificate"].encode(),
        document["key"].encode(),
        document.get("client_ca", "").encode(),
    )


class _InMemory:
    """Gives these bytes a path, because `load_cert_chain` takes paths only. On Linux it is in memory."""

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
