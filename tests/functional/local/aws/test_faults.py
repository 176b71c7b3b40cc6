"""Faults that a test arms: who runs into them, how often, and as what."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from werkzeug.wrappers import Request, Response

from local.aws.faults import PATH, FaultInjector
from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, listen

QUICK = Config(retries={"total_max_attempts": 1}, read_timeout=0.3)


class StubService:
    """A service that answers everything with an empty object, behind faults."""

    def __init__(self) -> None:
        self.served = 0
        self._server = WsgiServer(listen("test", 0, ""), FaultInjector().in_front_of(self._serve))

    def _serve(self, environ: Any, start_response: Any) -> Any:
        self.served += 1
        Request(environ).get_data()
        answer = Response('{"MessageId": "m"}', content_type="application/json")
        return answer(environ, start_response)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=QUICK,
        )

    def arm(self, **fault: Any) -> int:
        return self._ask("POST", fault)[0]

    def left(self) -> Any:
        return json.loads(self._ask("GET", None)[1])

    def disarm(self) -> None:
        self._ask("DELETE", None)

    def _ask(self, method: str, document: Any) -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, self._server.port)
        connection.request(method, PATH, json.dumps(document))
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def service() -> Iterator[StubService]:
    served = StubService()
    served.start()
    yield served
    served.stop()


def put(service: StubService) -> Any:
    return service.client("dynamodb").put_item(TableName="audit", Item={"k": {"S": "v"}})


def send_mail(service: StubService, to: str = "a@provider.example") -> Any:
    return service.client("sesv2").send_email(
        FromEmailAddress="n@ens.example",
        Destination={"ToAddresses": [to]},
        Content={"Raw": {"Data": b"mail"}},
    )


def test_a_fault_strikes_as_often_as_it_was_armed_for(service: StubService) -> None:
    code = "ProvisionedThroughputExceededException"
    service.arm(service="dynamodb", operation="PutItem", times=2, code=code, status=400)

    for _ in range(2):
        with pytest.raises(ClientError, match=code):
            put(service)
    put(service)

    assert service.served == 1
    assert service.left() == []


def test_another_operation_is_not_struck(service: StubService) -> None:
    service.arm(service="dynamodb", operation="GetItem")

    put(service)

    assert len(service.left()) == 1


def test_disarming_mends_at_once(service: StubService) -> None:
    service.arm(service="dynamodb", operation="PutItem", times=100)

    service.disarm()

    put(service)


def test_a_fault_may_be_meant_for_one_recipient(service: StubService) -> None:
    service.arm(
        service="ses", operation="SendEmail", code="MessageRejected", status=400, match="b@"
    )

    send_mail(service, "a@provider.example")
    with pytest.raises(ClientError, match="MessageRejected"):
        send_mail(service, "b@provider.example")


def test_s3_says_its_errors_in_xml(service: StubService) -> None:
    service.arm(service="s3", operation="PutObject", code="SlowDown", status=503)

    with pytest.raises(ClientError, match="SlowDown") as caught:
        service.client("s3").put_object(Bucket="vault", Key="events/e/message.hl7", Body=b"MSH")

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_connection_may_close_without_an_answer(service: StubService) -> None:
    service.arm(service="ses", operation="SendEmail", disconnect=True)

    with pytest.raises(ConnectionClosedError):
        send_mail(service)

    assert service.served == 0


def test_a_service_may_do_the_work_and_then_fail(service: StubService) -> None:
    service.arm(service="ses", operation="SendEmail", after=True)

    with pytest.raises(ClientError):
        send_mail(service)

    assert service.served == 1


def test_an_answer_may_come_too_late(service: StubService) -> None:
    service.arm(service="ses", operation="SendEmail", delay=0.6)

    with pytest.raises(ReadTimeoutError):
        send_mail(service)

    assert service.served == 1


def test_an_error_of_the_lambda_platform_comes_as_the_workflow_reads_it(
    service: StubService,
) -> None:
    service.arm(service="lambda", operation="Invoke", code="Lambda.TooManyRequestsException")

    answer = service.client("lambda").invoke(FunctionName="hl7-ens-local-ParseMessage")

    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "Lambda.TooManyRequestsException"


def test_a_fault_that_is_none_is_refused(service: StubService) -> None:
    assert service.arm(service="ses", operation="SendEmail", sort="bad") == 400
