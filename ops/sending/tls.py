"""TLS options of the MLLP client, and a sentence for each failure of a handshake.

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

NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """The TLS options of a connection.

    `ca` None trusts the authorities of this machine. `certificate` and `key` are the client's, for mutual
    TLS; with `key` None the key is in the certificate's file. `server_name` is the expected name in the
    server's certificate, "" for the host.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""
    insecure: bool = False

    def context(self, host: str) -> ssl.SSLContext:
        """Returns the client's context for a host.

        Raises `ProblemError` for an unusable file, and for `insecure` with a host other than loopback.
        """
        if self.insecure and not is_loopback(host):
            raise ProblemError(
                f"--insecure works on loopback only, not with {host}:"
                " give its authority with --ca and its name with --server-name."
            )
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ValueError):
            raise ProblemError(f"--ca: {self.ca} has no PEM certificate.") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An issuing authority is trusted without its root (RFC 5280, 6.1.1 d). Python does so from 3.13 on.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._add_certificate(context)
        return context

    def _add_certificate(self, context: ssl.SSLContext) -> None:
        if self.certificate is None:
            return
        try:
            # Without a password argument OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ValueError):
            raise ProblemError(
                f"--cert and --key: {self.certificate} and {self.key or 'the key in it'} are not a PEM"
                " certificate and its unencrypted key."
            ) from None


def is_loopback(host: str) -> bool:
    """Whether a host is `localhost` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def problem(error: ssl.SSLError, place: str, name: str) -> ProblemError:
    """Returns a failed TLS connection to `place` as an error. `name` is the expected server name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProblemError(f"TLS with {place}: {_certificate_fault(error.verify_code, name)}")
    reason = error.reason or ""
    if isinstance(error, ssl.SSLEOFError) or reason in NOT_TLS:
        return ProblemError(
            f"TLS with {place}: the port does not use TLS, or the receiver ended the handshake:"
            " try without --tls, or give a certificate with --cert and --key."
        )
    if "ALERT_CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return ProblemError(
            f"TLS with {place}: the receiver requires a client certificate:"
            " give one with --cert and --key."
        )
    if any(part in reason for part in ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_")):
        return ProblemError(
            f"TLS with {place}: the receiver rejects the client certificate ({reason}):"
            " use a valid one, issued by an authority in the receiver's client_ca."
        )
    return ProblemError(f"TLS with {place} failed ({reason or type(error).__name__}).")


def _certificate_fault(code: int, name: str) -> str:
    if code in (EXPIRED, NOT_YET_VALID):
        return (
            "the receiver's certificate has expired or is not valid yet: renew it"
            " (docs/deploy.md), or check this machine's clock."
        )
    if code in (NAME_MISMATCH, ADDRESS_MISMATCH):
        return f"the receiver's certificate is not for {name}: give its name with --server-name."
    if code in UNTRUSTED:
        return (
            "the receiver's certificate is not from a trusted authority: give the authority's PEM"
            " file with --ca."
        )
    return f"the receiver's certificate is not valid (OpenSSL verify code {code})."
