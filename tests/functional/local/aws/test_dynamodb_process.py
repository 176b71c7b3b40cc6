"""DynamoDB in a process of its own: who answers what, who runs into which fault, and how it ends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from werkzeug.wrappers import Request, Response

from local.aws.dynamodb_process import DynamoDbProcess
from local.aws.faults import PATH, FaultInjector
from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, listen

ONCE = Config(retries={"total_max_attempts": 1})


class TwoProcesses:
    """A local AWS whose services answer with the id of their process and what they were asked."""

    def __init__(self) -> None:
        app = FaultInjector().in_front_of(self._serve)
        self.dynamodb = DynamoDbProcess(app)
        self._server = WsgiServer(listen("test", 0, ""), self.dynamodb.in_front_of(app))

    @staticmethod
    def _serve(environ: Any, start_response: Any) -> Any:
        body = Request(environ).get_data().decode()
        told = [str(os.getpid()), body]
        answer = Response(
            json.dumps({"TableNames": told, "QueueUrls": told}),
            content_type="application/x-amz-json-1.0",
        )
        return answer(environ, start_response)

    def __enter__(self) -> "TwoProcesses":
        self._server.start()
        self.dynamodb.start(inherited=())
        return self

    def __exit__(self, *_: object) -> None:
        self.dynamodb.stop()
        self._server.stop()

    def ask(self, service: str, url: str = "") -> tuple[int, Any]:
        """The id of the process that answered a call of that service, and the body that it got."""
        client = boto3.client(
            service,
            endpoint_url=url or self._server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=ONCE,
        )
        if service == "dynamodb":
            process_id, body = client.list_tables(Limit=7)["TableNames"]
        else:
            process_id, body = client.list_queues()["QueueUrls"]
        return int(process_id), json.loads(body)

    def control(self, method: str, document: Any = None) -> tuple[int, Any]:
        connection = HTTPConnection(HOST, self._server.port)
        text = document if isinstance(document, str) else json.dumps(document)
        connection.request(method, PATH, text)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body) if answer.status == 200 else body

    def armed(self) -> list[str]:
        return [fault["service"] for fault in self.control("GET")[1]]


@pytest.fixture
def aws() -> Iterator[TwoProcesses]:
    with TwoProcesses() as both:
        yield both


def test_calls_of_dynamodb_are_answered_by_another_process_than_the_others(
    aws: TwoProcesses,
) -> None:
    process_id, body = aws.ask("dynamodb")

    assert (process_id != os.getpid(), body) == (True, {"Limit": 7})
    assert aws.ask("dynamodb", aws.dynamodb.url)[0] == process_id
    assert aws.ask("sqs")[0] == os.getpid()


def test_a_fault_strikes_in_the_process_that_serves_the_call(aws: TwoProcesses) -> None:
    for service, operation in (("dynamodb", "ListTables"), ("sqs", "ListQueues")):
        status, _ = aws.control("POST", {"service": service, "operation": operation})
        assert status == 200
    assert sorted(aws.armed()) == ["dynamodb", "sqs"]

    for service in ("dynamodb", "sqs"):
        with pytest.raises(ClientError, match="InternalFailure"):
            aws.ask(service)

    assert aws.armed() == []
    aws.ask("dynamodb")


def test_disarming_ends_the_faults_of_both(aws: TwoProcesses) -> None:
    for service, operation in (("dynamodb", "ListTables"), ("sqs", "ListQueues")):
        aws.control("POST", {"service": service, "operation": operation, "times": 9})

    assert aws.control("DELETE") == (200, [])

    assert aws.armed() == []
    aws.ask("dynamodb")
    aws.ask("sqs")


@pytest.mark.parametrize("text", ["{", "[]", '{"unknown": 1}'])
def test_a_fault_that_is_none_is_refused(aws: TwoProcesses, text: str) -> None:
    assert aws.control("POST", text)[0] == 400


def test_a_connection_that_closes_without_an_answer_closes_for_the_caller_too(
    aws: TwoProcesses,
) -> None:
    aws.control("POST", {"service": "dynamodb", "operation": "ListTables", "disconnect": True})

    with pytest.raises(ConnectionClosedError):
        aws.ask("dynamodb")

    aws.ask("dynamodb")


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from local.aws.dynamodb_process import DynamoDbProcess\n"
        "process = DynamoDbProcess(lambda environ, start_response: [])\n"
        "process.start(inherited=())\n"
        "print(process._process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        process_id = int(parent.stdout.readline())
        os.kill(process_id, 0)
        parent.kill()

    deadline = time.monotonic() + 10
    while Path(f"/proc/{process_id}").exists() and not _is_zombie(process_id):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_zombie(process_id: int) -> bool:
    """Whether it has ended and nobody has asked for its status yet (proc(5))."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text("utf-8")
    except OSError:
        return True
    return stat.rpartition(") ")[2].startswith("Z")
