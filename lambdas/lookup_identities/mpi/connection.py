"""The time limits and TLS settings that both kinds of MPI connection share."""

import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.mpi.settings import MpiTlsMaterial

CONNECT_SECONDS = 1.0
FIRST_BYTE_SECONDS = 2.0
TOTAL_SECONDS = 3.6
"""For all questions about the patient; those about providers have half of it. The function has 7 in all."""

TRIES = 2


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which everything has to be answered, on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Returns the deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> float:
        """Returns `seconds`, or the time left if that is less; `DependencyUnavailableError` when none is."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise DependencyUnavailableError("the MPI: no time left")
        return min(seconds, left)


def reason_of(error: Exception) -> str:
    """The type of a connection's error, and for TLS the reason by OpenSSL, such as an expired certificate."""
    for one in (error, *error.args):
        if isinstance(one, ssl.SSLError):
            reason = getattr(one, "verify_message", "") or one.reason or ""
            return f"{type(one).__name__}: {reason}" if reason else type(one).__name__
    return type(error).__name__


def tls_context(material: MpiTlsMaterial) -> ssl.SSLContext:
    """A context that trusts `ca` (else the system's authorities), and shows `certificate` with `key`.

    Raises `ConfigurationError` when they are not PEM or do not belong together.
    """
    try:
        context = ssl.create_default_context(cadata=material.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if material.certificate:
            with tempfile.TemporaryDirectory() as folder:  # ssl reads keys from files only
                pair = Path(folder) / "pair.pem"
                pair.touch(mode=0o600)
                pair.write_text(f"{material.certificate}\n{material.key}", "ascii")
                context.load_cert_chain(pair)
    except (ssl.SSLError, ValueError):
        raise ConfigurationError(
            "the secret of ENS_MPI_SECRET: ca, certificate or key is not PEM, or the key is not the certificate's"
        ) from None
    return context
