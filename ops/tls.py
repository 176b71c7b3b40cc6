"""TLS for the MLLP client: what an operator may choose, and each failure of a handshake as a sentence.

The server's certificate and name are always verified (RFC 9525), except on loopback with `insecure`.
Certificates and keys are PEM files; mutual TLS as IHE ITI-19 (ATNA, Node Authentication) describes it.
"""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ops.problem import ProblemError

# OpenSSL's X509_V_ERR_* codes, as `SSLCertVerificationError.verify_code` gives them (x509_vfy.h).
NOT_YET_VALID, EXPIRED, NAME_MISMATCH, ADDRESS_MISMATCH = 9, 10, 62, 64
UNTRUSTED = frozenset({2, 18, 19, 20, 21})

NO_TLS_SPOKEN = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """How to speak TLS: `ca` None trusts the authorities of this machine.

    `certificate` and `key` are ours for mutual TLS; `key` None: the key is in the certificate's file.
    `server_name` is the name that the server's certificate must bear; "" is the host's.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""
    insecure: bool = False

    def context(self, host: str) -> ssl.SSLContext:
        """The client's context for a host.

        Raises `ProblemError` where a file is not what it should be, and for `insecure` beyond loopback.
        """
        if self.insecure and not is_loopback(host):
            raise ProblemError(
                f"--insecure is for this machine only, and {host} is another:"
                " name its authority with --ca, and its name with --server-name."
            )
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ValueError):
            raise ProblemError(f"--ca: {self.ca} holds no certificate in PEM.") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._add_certificate(context)
        return context

    def _add_certificate(self, context: ssl.SSLContext) -> None:
        if self.certificate is None:
            return
        try:
            # An encrypted key would have OpenSSL ask for its password on the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ValueError):
            raise ProblemError(
                f"--cert and --key: {self.certificate} and {self.key or 'its own key'} are not a"
                " certificate and its unencrypted key in PEM."
            ) from None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def problem(error: ssl.SSLError, place: str, name: str) -> ProblemError:
    """A failed TLS connection to `place` as a sentence; `name` is the one that was asked for."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProblemError(f"TLS with {place}: {_certificate_fault(error.verify_code, name)}")
    reason = error.reason or ""
    if isinstance(error, ssl.SSLEOFError) or reason in NO_TLS_SPOKEN:
        return ProblemError(
            f"TLS with {place}: the receiver does not speak TLS here, or it ended the handshake:"
            " try without --tls, or show a certificate with --cert and --key."
        )
    if "ALERT_CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return ProblemError(
            f"TLS with {place}: the receiver wants a client certificate: name one with --cert and --key."
        )
    if any(part in reason for part in ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_")):
        return ProblemError(
            f"TLS with {place}: the receiver does not accept our certificate ({reason}):"
            " use one that is valid and issued by the authority in its client_ca."
        )
    return ProblemError(f"TLS with {place} failed ({reason or type(error).__name__}).")


def _certificate_fault(code: int, name: str) -> str:
    if code in (EXPIRED, NOT_YET_VALID):
        return (
            "the receiver's certificate has expired or is not valid yet: renew it"
            " (docs/deploy.md), or check this machine's clock."
        )
    if code in (NAME_MISMATCH, ADDRESS_MISMATCH):
        return (
            f"the receiver's certificate is not for {name}: give the name that it is for with"
            " --server-name."
        )
    if code in UNTRUSTED:
        return (
            "no trusted authority has issued the receiver's certificate: name its authority's PEM"
            " file with --ca."
        )
    return f"the receiver's certificate is not valid (OpenSSL verify code {code})."
