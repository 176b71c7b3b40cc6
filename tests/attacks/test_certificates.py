"""A certificate that was withdrawn, an authority file that was emptied: the door must not open wider."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from receiver.settings import SettingError, read_settings
from receiver.transport.expiry import ends
from tests.functional.receiver.certificates import SERVER, CertificateFolder
from tests.functional.receiver.world import Peer, ReceiverWorld, adt, eventually

QUICKLY = 0.05


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def is_refused(world: ReceiverWorld, context: ssl.SSLContext) -> bool:
    """TLS 1.3 tells a client on its first read that its certificate was not taken."""
    try:
        with world.connect(tls=context) as client:
            client.ask(adt())
    except (ssl.SSLError, ConnectionError, EOFError):
        return True
    return False


def is_cut_off(client: Peer) -> bool:
    """Whether the receiver ends the connection without an answer."""
    try:
        client.ask(adt("2"))
    except (ssl.SSLError, ConnectionError, EOFError):
        return True
    return False


@pytest.mark.parametrize("damage", ["missing", "empty", "not PEM", "cut off"])
def test_a_damaged_authority_file_keeps_the_old_authorities_and_is_counted(
    damage: str, start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    files = authority.server()
    world = start(tls=files, tls_reload_seconds=QUICKLY)
    file = Path(files.client_ca)
    match damage:
        case "missing":
            file.unlink()
        case "empty":
            file.write_bytes(b"")
        case "not PEM":
            file.write_bytes(b"authorities: see the wiki\n")
        case _:
            file.write_bytes(file.read_bytes()[:200])
    assert eventually(lambda: world.counted("CertificateNotUsed") > 1)
    assert is_refused(world, authority.client()), "mutual TLS stays on"
    with world.connect(tls=authority.client_of(named("adt"))) as hospital:
        assert hospital.ask(adt("1")) == "AA 1"


def test_a_client_without_a_certificate_is_refused_with_a_clear_log_line(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    world = start(tls=authority.server())
    assert is_refused(world, authority.client())
    stranger = CertificateFolder(tmp_path, "stranger")
    assert is_refused(world, stranger.client_of(named("adt"), trusting=authority))
    assert is_refused(world, authority.client_of(named("adt"), days=-0.0001))
    assert eventually(lambda: world.counted("ConnectionsRejected") == 3)
    told = [line["why"] for line in world.logged() if line.get("message") == "connection rejected"]
    assert told[0] == "TLS handshake failed: PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert told[1].startswith("TLS handshake failed: client certificate: ")
    assert told[2] == "TLS handshake failed: client certificate: certificate has expired"


def test_a_removed_authority_closes_the_connections_of_its_clients(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    files = authority.server()
    world = start(tls=files, tls_reload_seconds=QUICKLY)
    with world.connect(tls=authority.client_of(named("adt"))) as withdrawn:
        assert withdrawn.ask(adt("1")) == "AA 1"
        Path(files.client_ca).write_bytes(CertificateFolder(tmp_path, "new").file.read_bytes())
        assert withdrawn.is_closed()
    assert is_refused(world, authority.client_of(named("adt")))
    (line,) = (one for one in world.logged() if one.get("message") == "connection closed")
    assert line["why"] == "client authorities or revocation lists have changed"


def test_a_revoked_certificate_is_refused_and_its_open_connection_closed(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    files = authority.server(crl=authority.revoked())
    world = start(tls=files, tls_reload_seconds=QUICKLY)
    stolen = authority.client_of(named("adt"))
    certificate = authority.last
    with world.connect(tls=stolen) as attacker:
        assert attacker.ask(adt("1")) == "AA 1"
        Path(files.crl).write_bytes(authority.revoked(certificate))
        assert attacker.is_closed()
    assert is_refused(world, stolen)
    with world.connect(tls=authority.client_of(named("other"))) as hospital:
        assert hospital.ask(adt("2")) == "AA 2"
    why = [line["why"] for line in world.logged() if line.get("message") == "connection rejected"]
    assert why == ["TLS handshake failed: client certificate: certificate revoked"]


def test_a_handshake_begun_before_the_revocation_is_not_finished_after_it(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    files = authority.server(crl=authority.revoked())
    world = start(tls=files, tls_reload_seconds=QUICKLY, tls_handshake_seconds=20)
    stolen = authority.client_of(named("adt"))
    with world.connect() as attacker:
        assert eventually(lambda: world.server.shares.places == 1)
        Path(files.crl).write_bytes(authority.revoked(authority.last))
        assert attacker.is_closed()
    assert is_refused(world, stolen)
    why = [line["why"] for line in world.logged() if line.get("message") == "connection rejected"]
    assert why[0] == "client authorities or revocation lists have changed"


def test_an_emptied_revocation_list_stays_in_use(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    stolen = authority.client_of(named("adt"))
    files = authority.server(crl=authority.revoked(authority.last))
    world = start(tls=files, tls_reload_seconds=QUICKLY)
    Path(files.crl).write_bytes(b"")
    assert eventually(lambda: world.counted("CertificateNotUsed") > 1)
    assert is_refused(world, stolen)


@pytest.mark.slow
def test_a_certificate_that_expires_while_its_connection_is_open_ends_it(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server())
    with world.connect(tls=authority.client_of(named("adt"), days=3 / 86_400)) as client:
        assert client.ask(adt("1")) == "AA 1"
        assert client.is_closed()
    (line,) = (one for one in world.logged() if one.get("message") == "connection closed")
    assert line["why"] == "the client certificate has expired"


def resumed(world: ReceiverWorld, context: ssl.SSLContext, session: ssl.SSLSession | None) -> Peer:
    """A connection that resumes the session of an earlier one."""
    client = world.connect()
    client.socket = context.wrap_socket(client.socket, server_hostname=SERVER, session=session)
    return client


def session_of(client: Peer) -> ssl.SSLSession | None:
    assert isinstance(client.socket, ssl.SSLSocket)
    return client.socket.session


def test_an_issuing_authority_is_trusted_without_its_root(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    """The sender table names the issuer of the certificates; its root may have other authorities."""
    issuing = CertificateFolder(tmp_path, "issuing", authority)
    world = start(tls=issuing.server(crl=issuing.revoked()))
    trusting = CertificateFolder(tmp_path, "trusting")
    trusting.file.write_bytes(issuing.file.read_bytes() + authority.file.read_bytes())
    with world.connect(tls=issuing.client_of(named("adt"), trusting)) as hospital:
        assert hospital.ask(adt("1")) == "AA 1"
    assert is_refused(world, authority.client_of(named("adt"), trusting)), "another of the root's"


@pytest.mark.slow
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_not_resumed_beyond_the_end_of_its_certificate(
    version: ssl.TLSVersion, start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    """OpenSSL verifies no certificate when a session is resumed."""
    world = start(tls=authority.server())
    context = authority.client_of(named("adt"), days=3 / 86_400)
    context.minimum_version = context.maximum_version = version
    with world.connect(tls=context) as client:
        assert client.ask(adt("1")) == "AA 1"
        session = session_of(client)
        assert client.is_closed()
    with resumed(world, context, session) as client:
        assert is_cut_off(client)
    assert len(world.envelopes()) == 1


def test_a_session_is_not_resumed_after_its_certificate_was_revoked(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    files = authority.server(crl=authority.revoked())
    world = start(tls=files, tls_reload_seconds=QUICKLY)
    context = authority.client_of(named("adt"))
    with world.connect(tls=context) as client:
        assert client.ask(adt("1")) == "AA 1"
        session = session_of(client)
        Path(files.crl).write_bytes(authority.revoked(authority.last))
        assert client.is_closed()
    with resumed(world, context, session) as client:
        assert is_cut_off(client)
    assert len(world.envelopes()) == 1


def test_certificates_that_expire_within_30_days_are_counted_and_named(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(crl=authority.revoked()))
    with world.connect(tls=authority.client_of(named("adt"), days=29)) as client:
        assert client.ask(adt("1")) == "AA 1"
    with world.connect(tls=authority.client_of(named("fresh"), days=31)) as client:
        assert client.ask(adt("2")) == "AA 2"
    assert world.tls.expiring.count(datetime.now(UTC)) == 4
    told = {
        line["certificate"]
        for line in world.logged()
        if line.get("message") == "certificate expires soon"
    }
    issuer = authority.last.issuer.rfc4514_string()
    of_client = f"client CN=adt (issuer {issuer})"
    assert told == {"receiver", "client authority", "revocation list", of_client}


def test_the_end_of_a_certificate_is_that_which_the_library_reads(
    authority: CertificateFolder,
) -> None:
    for days in (1, 400, 20_000):  # beyond 2049 the time is a GeneralizedTime (RFC 5280, 4.1.2.5)
        authority.client_of(named("adt"), days=days)
        (pair,) = authority.folder.glob(f"client-{authority.last.serial_number}.pem")
        assert ends(pair.read_bytes()) == [authority.last.not_valid_after_utc]
    (end,) = ends(authority.revoked())
    assert timedelta(minutes=59) < end - datetime.now(UTC) < timedelta(minutes=61)


def test_a_revocation_list_without_authorities_is_a_setting_that_cannot_be_used() -> None:
    with pytest.raises(SettingError, match="ENS_TLS_CRL_FILE"):
        read_settings(
            {
                **dict.fromkeys(
                    (
                        "ENS_ENVIRONMENT",
                        "ENS_VAULT_BUCKET",
                        "ENS_QUEUE_URL",
                        "ENS_REFERENCE_KEY_SECRET",
                        "ENS_CONFIGURATION_BUCKET",
                        "ENS_CONFIGURATION_KEY",
                    ),
                    "x",
                ),
                "ENS_TLS_CERTIFICATE_FILE": "a",
                "ENS_TLS_KEY_FILE": "b",
                "ENS_TLS_CRL_FILE": "c",
            }
        )


def test_an_authority_without_its_revocation_list_lets_nobody_in(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    """OpenSSL needs a list of each authority (X509_V_FLAG_CRL_CHECK)."""
    other = CertificateFolder(tmp_path, "other")
    world = start(tls=authority.server(crl=other.revoked()))
    assert is_refused(world, authority.client_of(named("adt")))
    (why,) = {
        line["why"] for line in world.logged() if line.get("message") == "connection rejected"
    }
    assert why == "TLS handshake failed: client certificate: unable to get certificate CRL"
