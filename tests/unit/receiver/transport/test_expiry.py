"""The certificates of clients that expire soon, by subject and issuer, until they have ended."""

import io
import ssl
from datetime import UTC, datetime, timedelta

from receiver.intake.client_certificate import ClientCertificate
from receiver.telemetry.log import Log
from receiver.transport.expiry import ExpiringCertificates

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def shown(subject: str, issuer: str, end: datetime) -> ClientCertificate:
    """A certificate as Python's `getpeercert` describes it."""
    certificate = ClientCertificate.of_peer(
        {
            "subject": ((("commonName", subject),),),
            "issuer": ((("commonName", issuer),),),
            "notAfter": f"{end:%b %d %H:%M:%S %Y} GMT",
        }
    )
    assert certificate is not None
    assert ssl.cert_time_to_seconds(certificate.not_after) == end.timestamp()
    return certificate


def test_a_clients_certificate_that_was_replaced_under_another_name_is_counted_until_its_end() -> (
    None
):
    expiring = ExpiringCertificates(Log(io.StringIO()))
    expiring.note_client(shown("adt", "West CA", NOW + timedelta(days=2)), NOW)
    assert expiring.count(NOW + timedelta(days=1)) == 1
    assert expiring.count(NOW + timedelta(days=2)) == 0


def test_a_renewal_of_one_hospital_does_not_hide_the_certificate_of_another_with_its_name() -> None:
    expiring = ExpiringCertificates(Log(io.StringIO()))
    expiring.note_client(shown("adt", "West CA", NOW + timedelta(days=2)), NOW)
    expiring.note_client(shown("adt", "East CA", NOW + timedelta(days=365)), NOW)
    assert expiring.count(NOW) == 1


def test_the_receivers_own_certificate_is_counted_after_its_end_too() -> None:
    expiring = ExpiringCertificates(Log(io.StringIO()))
    expiring.note("receiver", NOW + timedelta(days=2), NOW)
    assert expiring.count(NOW + timedelta(days=3)) == 1
