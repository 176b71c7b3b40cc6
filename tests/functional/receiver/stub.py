"""S3, SQS and Secrets Manager as one small HTTP server, for receivers in processes of their own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class StubAws:
    """Stores what it is sent. While `open` is not set, writes to S3 wait.

    `refusals` are the statuses of the next reads from S3, with their error codes.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.envelopes: list[dict[str, Any]] = []
        self.configuration = b'{"version": 1, "environment": "test", "senders": []}'
        self.refusals: list[tuple[int, str]] = []
        self.waiting = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        stub = self

        class Handler(_Handler):
            aws = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    aws: StubAws
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        body = self._body()
        self.aws.waiting.release()
        self.aws.open.wait(10)
        if self.headers.get("If-None-Match") == "*" and self.path in self.aws.objects:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.aws.objects[self.path] = body
        self._answer(200, b"")

    def do_GET(self) -> None:
        if self.aws.refusals:
            status, code = self.aws.refusals.pop(0)
            self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())
            return
        self._answer(200, self.aws.configuration)

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_POST(self) -> None:
        request = json.loads(self._body())
        answer: dict[str, Any] = {}
        match self.headers["X-Amz-Target"].rpartition(".")[2]:
            case "GetSecretValue" if request["SecretId"] != "reference-key":
                self._answer(400, b'{"__type": "ResourceNotFoundException"}')
                return
            case "GetSecretValue":
                answer = {"SecretString": '{"current": "k1", "k1": "secret"}'}
            case "SendMessageBatch":
                entries = request["Entries"]
                self.aws.envelopes += [json.loads(entry["MessageBody"]) for entry in entries]
                answer = {"Successful": [{"Id": entry["Id"]} for entry in entries]}
        self._answer(200, json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("x-amz-version-id", "v1")
        self.send_header("x-amz-meta-sha256", "0" * 64)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
