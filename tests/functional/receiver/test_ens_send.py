"""`ens send --tls` against the receiver itself, whose certificates, keys and authorities are real."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from receiver.settings import TlsFiles
from tests.functional.receiver.certificates import SERVER, CertificateFolder
from tests.functional.receiver.world import ReceiverWorld, adt
from tests.support.tls import CertificateAuthority, IssuedPem, authority

Start = Callable[..., ReceiverWorld]


@dataclass(frozen=True)
class Files:
    """Certificates as files of a folder, as an operator has them."""

    folder: Path
    root: CertificateAuthority

    def ca(self, root: CertificateAuthority | None = None) -> str:
        """The PEM file of an authority."""
        return self.write("ca.pem", (root or self.root).pem)

    def pair(self, issued: IssuedPem, name: str) -> tuple[str, str]:
        """The files of a certificate and its key."""
        return self.write(f"{name}.crt", issued.pem), self.write(f"{name}.key", issued.key_pem)

    def receiver(self, *, mutual: bool = False, days: int = 1) -> TlsFiles:
        """The certificates that a receiver shows and trusts."""
        certificate, key = self.pair(self.root.issue(SERVER, days), "server")
        clients = self.write("clients.pem", self.root.pem) if mutual else ""
        return TlsFiles(certificate, key, clients)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, authority())


@pytest.fixture
def send(tmp_path: Path) -> Callable[..., Result]:
    """Runs `ens send` with an invented message to a port of this machine."""
    message = tmp_path / "admission.hl7"
    message.write_bytes(adt())

    def run(port: int, *options: str, host: str = "127.0.0.1", timeout: str = "5") -> Result:
        at = ["--host", host, "--port", str(port), "--timeout", timeout]
        return CliRunner().invoke(main, ["send", str(message), *at, *options])

    return run


def test_a_message_is_accepted_over_mutual_tls(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver(mutual=True))
    certificate, key = files.pair(files.root.issue("smoke.ens.example"), "client")
    tls = ("--tls", "--ca", files.ca(), "--server-name", SERVER)
    result = send(world.mllp_port, *tls, "--cert", certificate, "--key", key)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == "AA   admission.hl7 #1"
    both = files.write("both.pem", Path(certificate).read_text() + Path(key).read_text())
    assert send(world.mllp_port, *tls, "--cert", both).exit_code == 0


def test_an_issuing_authority_is_trusted_without_its_root(
    start: Start, tmp_path: Path, send: Callable[..., Result]
) -> None:
    issuing = CertificateFolder(tmp_path, "issuing", CertificateFolder(tmp_path))
    world = start(tls=issuing.server(mutual=False))
    options = ("--tls", "--ca", str(issuing.file), "--server-name", SERVER)
    result = send(world.mllp_port, *options)
    assert result.exit_code == 0, result.output


def test_a_receiver_that_wants_a_client_certificate_says_which_options_are_missing(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver(mutual=True))
    result = send(world.mllp_port, "--tls", "--ca", files.ca(), "--server-name", SERVER)
    assert result.exit_code == 1
    assert "--cert and --key" in result.output


def test_a_client_certificate_of_another_authority_is_named_as_the_reason(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver(mutual=True))
    certificate, key = files.pair(authority().issue("stranger.example"), "stranger")
    tls = ("--tls", "--ca", files.ca(), "--server-name", SERVER)
    result = send(world.mllp_port, *tls, "--cert", certificate, "--key", key)
    assert result.exit_code == 1
    assert "client certificate" in result.output


def test_an_expired_certificate_of_the_receiver_is_said_to_be_expired(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver(days=-1))
    result = send(world.mllp_port, "--tls", "--ca", files.ca(), "--server-name", SERVER)
    assert result.exit_code == 1
    assert "has expired" in result.output


def test_a_certificate_for_another_name_is_refused_with_that_name(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver())
    for named, asked in (((), "127.0.0.1"), (("--server-name", "other.example"), "other.example")):
        result = send(world.mllp_port, "--tls", "--ca", files.ca(), *named)
        assert result.exit_code == 1
        assert f"is not for {asked}" in result.output


def test_an_unknown_authority_is_refused_and_ca_is_offered(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver())
    for trusted in ((), ("--ca", files.ca(authority()))):
        result = send(world.mllp_port, "--tls", "--server-name", SERVER, *trusted)
        assert result.exit_code == 1
        assert "with --ca" in result.output


def test_tls_and_plain_text_that_meet_are_told_apart(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    plain, secured = start(), start(tls=files.receiver())
    result = send(plain.mllp_port, "--tls", "--ca", files.ca(), timeout="1")
    assert (result.exit_code, "TLS" in result.output) == (1, True), result.output
    result = send(secured.mllp_port)
    assert result.exit_code == 1
    assert "does the receiver expect --tls?" in result.output


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_handshake_that_never_comes_ends_in_time(
    silent: int, files: Files, send: Callable[..., Result]
) -> None:
    result = send(silent, "--tls", "--ca", files.ca(), timeout="0.2")
    assert result.exit_code == 1
    assert "no handshake within 0.2 s" in result.output


def test_unverified_tls_is_for_this_machine_alone(
    start: Start, files: Files, send: Callable[..., Result]
) -> None:
    world = start(tls=files.receiver())
    assert send(world.mllp_port, "--tls", "--insecure").exit_code == 0
    # 192.0.2.0/24 is reserved for documentation (RFC 5737): nothing is connected to.
    result = send(world.mllp_port, "--tls", "--insecure", host="192.0.2.1")
    assert result.exit_code == 1
    assert "loopback only" in result.output


@pytest.mark.parametrize("option", ["--ca", "--cert", "--insecure"])
def test_an_option_of_tls_without_tls_is_an_error_not_plain_text(
    option: str, files: Files, send: Callable[..., Result]
) -> None:
    value = () if option == "--insecure" else (files.ca(),)
    result = send(1, option, *value)
    assert (result.exit_code, "need --tls" in result.output) == (2, True)


def test_a_file_that_is_no_certificate_is_named(files: Files, send: Callable[..., Result]) -> None:
    letter = files.write("letter.txt", "Dear colleague,\n")
    assert "letter.txt has no PEM certificate" in send(1, "--tls", "--ca", letter).output.replace(
        "\n", ""
    )
    assert "--cert and --key" in send(1, "--tls", "--cert", letter).output
