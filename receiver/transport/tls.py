"""Loads the server's certificate and key from files or Secrets Manager, and reloads renewed ones."""

import asyncio
import json
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from receiver.settings import ReceiverSettings, SettingError, TlsFiles
from receiver.storage.aws_client.calls import read_secret
from receiver.telemetry.log import Log, where
from receiver.telemetry.metrics import Metrics
from receiver.transport.expiry import ExpiringCertificates, ends

_UNREADABLE = (OSError, ValueError)
"""The errors of reading and using PEM: no file, no JSON in the secret, no certificate or key in the text."""


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """PEM texts: certificate with chain, private key, client authorities and their revocation lists.

    Without `client_ca` clients need no certificate. Without `crl` revocation is not checked.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes = b""
    crl: bytes = b""

    @property
    def trust(self) -> tuple[bytes, bytes]:
        """The part that decides which clients are let in."""
        return self.client_ca, self.crl


class WeakerTlsError(ValueError):
    """Raised for new files that would let in clients that the files in use keep out."""


class Tls:
    """The TLS context for new connections.

    Open connections continue with their earlier context. When authorities or revocation lists have
    changed, `on_new_trust` is called: clients have to show their certificates again.
    """

    def __init__(self, settings: ReceiverSettings, metrics: Metrics, log: Log) -> None:
        self._seconds = settings.tls_reload_seconds
        self._metrics = metrics
        self._log = log
        self._read: Callable[[], TlsMaterial] | None = None
        if settings.tls is not None:
            files = settings.tls
            self._read = lambda: _from_files(files)
        elif settings.tls_secret:
            self._read = lambda: _from_secret(settings.tls_secret)
        self._material: TlsMaterial | None = None
        self.context: ssl.SSLContext | None = None
        self.expiring = ExpiringCertificates(log)
        self.on_new_trust: Callable[[], None] = lambda: None

    def load(self) -> None:
        """Builds the first context. Blocks.

        Raises `SettingError` when the secret cannot be read, or a PEM text cannot be used.
        """
        if self._read is None:
            return
        try:
            self._material = self._read()
            self.context = make_context(self._material)
            self._note_ends()
        except _UNREADABLE:
            raise SettingError(
                "ENS_TLS_SECRET or ENS_TLS_*_FILE: not readable as a PEM certificate, its key,"
                " client authorities and revocation lists"
            ) from None

    async def keep_fresh(self) -> None:
        """Loads changed certificates, until cancelled. Those that cannot be used are logged and counted.

        Material without authorities or lists, where the one in use has them, is not used either.
        """
        while self._read is not None:
            await asyncio.sleep(self._seconds)
            try:
                material = await asyncio.to_thread(self._read)
                self._note_ends()
                if material != self._material:
                    self._use(material)
            except (*_UNREADABLE, SettingError) as error:
                self._metrics.count("CertificateNotUsed")
                told = isinstance(error, WeakerTlsError | SettingError)
                why = str(error) if told else where(error)
                self._log.error(
                    "TLS: new certificate cannot be used; previous one stays in use", error=why
                )

    def _use(self, material: TlsMaterial) -> None:
        before = self._material
        if before is not None and before.client_ca and not material.client_ca:
            raise WeakerTlsError("the client authorities are missing")
        if before is not None and before.crl and not material.crl:
            raise WeakerTlsError("the revocation lists are missing")
        self.context = make_context(material)
        self._material = material
        self._log.info("TLS: new certificate in use")
        self._note_ends()
        if before is not None and before.trust != material.trust:
            self.on_new_trust()

    def _note_ends(self) -> None:
        """Notes the ends of the receiver's own certificate, its authorities' and their lists'."""
        now, material = datetime.now(UTC), self._material
        if material is None:
            return
        for name, pem in (
            ("receiver", material.certificate),
            ("client authority", material.client_ca),
            ("revocation list", material.crl),
        ):
            if found := ends(pem):
                self.expiring.note(name, min(found), now)


def make_context(material: TlsMaterial) -> ssl.SSLContext:
    """Returns a server context with TLS 1.2 or newer. With client authorities it requires a certificate.

    Revocation is checked for the client's own certificate. OpenSSL needs a current list of each
    authority then, and refuses all clients of one that has none (X509_VERIFY_PARAM_set_flags(3)).
    Raises `ssl.SSLError`, an `OSError`, when certificate and key do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_chain(context, material.certificate, material.key)
    if material.client_ca:
        context.load_verify_locations(cadata=material.client_ca.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
        # An issuing authority is trusted without its root (RFC 5280, 6.1.1 d), as it is by Java's engines.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if material.crl:
        with _in_memory(material.crl) as crl_file:
            context.load_verify_locations(crl_file)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
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
    with _in_memory(certificate) as certificate_file, _in_memory(key) as key_file:
        # Without a password argument OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate_file, key_file, password="")


def _from_files(files: TlsFiles) -> TlsMaterial:
    certificate, key = Path(files.certificate).read_bytes(), Path(files.key).read_bytes()
    named = {"client_ca": files.client_ca, "crl": files.crl}
    optional = {name: Path(file).read_bytes() for name, file in named.items() if file}
    return _material(certificate, key, optional)


def _from_secret(secret_id: str) -> TlsMaterial:
    """Reads the secret's JSON: `certificate`, `key` and, for mutual TLS, `client_ca` and `crl`, in PEM.

    Raises `SettingError` with the name of a member that is missing or no text.
    """
    document = json.loads(read_secret(secret_id, "ENS_TLS_SECRET"))
    pem = document if isinstance(document, dict) else {}
    names = [name for name in ("client_ca", "crl") if name in pem]
    for name in ("certificate", "key", *names):
        if not isinstance(pem.get(name), str):
            raise SettingError(f"ENS_TLS_SECRET: `{name}` of the secret is missing or no text")
    optional = {name: pem[name].encode() for name in names}
    return _material(pem["certificate"].encode(), pem["key"].encode(), optional)


def _material(certificate: bytes, key: bytes, optional: Mapping[str, bytes]) -> TlsMaterial:
    """The material. Raises `WeakerTlsError` for authorities or lists that are there and hold no PEM."""
    for name, pem in optional.items():
        if b"-----BEGIN" not in pem:
            raise WeakerTlsError(f"{name} holds no PEM text")
    return TlsMaterial(certificate, key, **optional)


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Gives these bytes a path, because `load_cert_chain` takes paths only. On Linux it is in memory."""
    on_linux = hasattr(os, "memfd_create")
    with (
        os.fdopen(os.memfd_create("tls"), "wb") if on_linux else tempfile.NamedTemporaryFile()
    ) as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}" if on_linux else file.name
