"""Finds certificates and revocation lists that expire soon: the receiver's own and those of senders."""

import re
import ssl
from datetime import UTC, datetime, timedelta

from receiver.intake.client_certificate import ClientCertificate
from receiver.telemetry.log import Log

SOON = timedelta(days=30)
REPORT = timedelta(hours=6)
_MAX_NOTED = 1000

# Two times in a row: the validity of a certificate, thisUpdate and nextUpdate of a revocation list (RFC
# 5280, 4.1.2.5 and 5.1.2.4-5). DER: UTCTime is tag 0x17, GeneralizedTime 0x18.
_TIMES = re.compile(
    rb"(?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z)", re.DOTALL
)
_PEM = re.compile(
    r"-----BEGIN (CERTIFICATE|X509 CRL)-----[A-Za-z0-9+/=\s]+-----END \1-----", re.ASCII
)


def ends(pem: bytes) -> list[datetime]:
    """Returns the end of each certificate or revocation list in a PEM text, in its order."""
    found = []
    for block in _PEM.finditer(pem.decode("ascii", errors="replace")):
        text = block[0].replace("X509 CRL", "CERTIFICATE")
        times = _TIMES.search(ssl.PEM_cert_to_DER_cert(text))
        if times:
            found.append(_time(times[1] or times[2]))
    return found


def _time(value: bytes) -> datetime:
    form = "%y%m%d%H%M%S" if len(value) == 12 else "%Y%m%d%H%M%S"
    return datetime.strptime(value.decode(), form).replace(tzinfo=UTC)


def end_of_peer(not_after: str) -> datetime:
    """Returns the end of a peer's certificate from `notAfter` of `getpeercert`."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)


class ExpiringCertificates:
    """Notes the certificates in use that expire within 30 days."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._ends: dict[str, datetime] = {}
        self._clients: set[str] = set()
        self._reported_at: datetime | None = None

    def note(self, name: str, end: datetime, now: datetime) -> None:
        """Notes a certificate that is in use under a name; forgets one that was renewed."""
        if end - now >= SOON:
            self._ends.pop(name, None)
        elif len(self._ends) < _MAX_NOTED or name in self._ends:
            self._ends[name] = end

    def note_client(self, certificate: ClientCertificate, now: datetime) -> None:
        """Notes a client's certificate until its end; afterwards no connection can use it."""
        name = f"client {certificate.label}"
        self.note(name, end_of_peer(certificate.not_after), now)
        if name in self._ends:
            self._clients.add(name)

    def count(self, now: datetime) -> int:
        """Returns how many expire soon. Logs them every six hours."""
        for name in [one for one in self._clients if self._ends.get(one, now) <= now]:
            self._clients.discard(name)
            self._ends.pop(name, None)
        if self._ends and (self._reported_at is None or now - self._reported_at >= REPORT):
            self._reported_at = now
            for name, end in sorted(self._ends.items()):
                self._log.warning(
                    "certificate expires soon", certificate=name, expires=f"{end:%Y-%m-%d}"
                )
        return len(self._ends)
