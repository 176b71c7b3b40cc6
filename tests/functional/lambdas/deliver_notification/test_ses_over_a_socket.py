"""The mailer without an answer of SES: a real client and a real socket, without SES."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.config import Config

from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.mail import mailer
from lambdas.delivery.mail.mailer import AmbiguousSendError

Answer = Callable[[socket.socket], None]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server


@pytest.fixture
def ses_at(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], None]]:
    quick = Config(
        connect_timeout=0.3,
        read_timeout=0.3,
        retries=mailer.SES_CONFIG.retries,
        signature_version="v4",
    )
    monkeypatch.setattr(mailer, "SES_CONFIG", quick)

    def point(port: int) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{port}")

    yield point


def serve(server: socket.socket, answer: Answer) -> list[bytes]:
    """Answers every connection in the background; the list grows with what arrived."""
    arrived: list[bytes] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                arrived.append(connection.recv(65536))
                answer(connection)

    threading.Thread(target=accept, daemon=True).start()
    return arrived


def send(context: DeliveryContext) -> str:
    return mailer.send(context, b"To: x\r\n\r\nhello\r\n", "x@clinic.example", "5e" * 16, "d1" * 16)


def http(status: int, body: dict[str, Any], code: str = "") -> Answer:
    """An answer in SES's protocol."""

    def answer(connection: socket.socket) -> None:
        data = json.dumps(body).encode()
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
            f"x-amzn-ErrorType: {code}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        connection.sendall(head.encode() + data)

    return answer


def test_a_connection_that_is_refused_means_that_nothing_was_sent(
    context: DeliveryContext, ses_at: Any
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    ses_at(port)
    with pytest.raises(DependencyUnavailableError, match=r"^ses: EndpointConnectionError$"):
        send(context)


def test_silence_after_the_mail_is_ambiguous_and_not_tried_again(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    still = threading.Event()
    arrived = serve(listener, lambda _: void(still.wait(1)))
    ses_at(listener.getsockname()[1])
    with pytest.raises(AmbiguousSendError, match=r"^ReadTimeoutError$"):
        send(context)
    still.set()
    assert len(arrived) == 1


def test_a_connection_cut_after_the_mail_is_ambiguous_and_not_tried_again(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    arrived = serve(listener, lambda _: None)
    ses_at(listener.getsockname()[1])
    with pytest.raises(AmbiguousSendError):
        send(context)
    assert len(arrived) == 1


def test_an_answer_cut_in_its_middle_is_ambiguous_and_not_tried_again(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n{"MessageId": "m')

    arrived = serve(listener, cut)
    ses_at(listener.getsockname()[1])
    with pytest.raises(AmbiguousSendError, match=r"^ResponseStreamingError$"):
        send(context)
    assert len(arrived) == 1


def test_a_5xx_is_ambiguous_and_not_tried_again(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    arrived = serve(listener, http(500, {"message": "oh"}, "InternalFailure"))
    ses_at(listener.getsockname()[1])
    with pytest.raises(AmbiguousSendError, match=r"^InternalFailure$"):
        send(context)
    assert len(arrived) == 1


def test_throttling_is_told_at_once_and_not_tried_again_by_the_client(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    arrived = serve(listener, http(429, {"message": "slow down"}, "TooManyRequestsException"))
    ses_at(listener.getsockname()[1])
    with pytest.raises(DependencyUnavailableError, match=r"^ses SendEmail: TooManyRequests"):
        send(context)
    assert len(arrived) == 1


def test_each_mail_gets_a_connection_of_its_own(
    context: DeliveryContext, ses_at: Any, listener: socket.socket
) -> None:
    arrived = serve(listener, http(200, {"MessageId": "m1"}))
    ses_at(listener.getsockname()[1])
    assert [send(context), send(context)] == ["m1", "m1"]
    assert len(arrived) == 2


def void(_: object) -> None:
    """Nothing, whatever it is given."""
