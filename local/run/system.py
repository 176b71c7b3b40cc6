"""The local system: starts every part in its order, and stops what it started in the reverse one."""

import gc
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from socket import socket
from typing import Self

from local.aws.app import create_app
from local.aws.clients import role_environment
from local.aws.control import with_controls
from local.aws.dynamodb_process import DynamoDbProcess
from local.aws.faults import FaultInjector
from local.aws.http_server import WsgiServer
from local.aws.mailbox import Mailbox
from local.aws.sockets import App, PortError, listen
from local.console import app as console
from local.console.looks import ConsoleLooks
from local.events.pipe import PipeRunner
from local.events.ses_events import SesEvents
from local.events.timer import Timer, scheduled_functions
from local.functions.runtime import runtime_folder
from local.functions.sandbox import LambdaFunction
from local.functions.workers import Workers
from local.run import mpi
from local.run.receiver_process import ReceiverProcess
from local.stack import registry, synth
from local.stack.deploy import DeployedStack, deploy
from ops import deployment as ops_deployment
from ops.encounters.stays import StaySource
from ops.events.trail import TrailSource
from simulators import comprehend_medical

Say = Callable[..., None]
"""Shows the user a line at once, or with `end` empty the beginning of one."""

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ports:
    """The addresses of the parts on 127.0.0.1."""

    mllp: int = 17000
    aws: int = 4566
    console: int = 8080
    health: int = 17001

    @classmethod
    def from_environment(cls) -> Self:
        """The ports that ENS_MLLP_PORT, ENS_AWS_PORT, ENS_CONSOLE_PORT and ENS_HEALTH_PORT name.

        Raises `PortError` for one that is none.
        """
        named = {port.name: f"ENS_{port.name.upper()}_PORT" for port in fields(cls)}
        return cls(**{name: _port(named[name], getattr(cls(), name)) for name in named})


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise PortError(f"{variable} is {text!r}: a port is a number from 1 to 65535.")
    return int(text)


class System:
    """Everything that `make run` starts. Use it as a context: leaving it stops all of it."""

    def __init__(self, ports: Ports, folder: Path, say: Say) -> None:
        self.ports = ports
        self._logs = folder / "logs"
        self._say = say
        self._running = ExitStack()
        self._faults = FaultInjector()
        self.mailbox = Mailbox()
        """The mails that the local SES accepted."""
        self._workers: Workers | None = None
        self.deployment: DeployedStack
        self.receiver: ReceiverProcess
        self.trails: TrailSource

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _start(self) -> None:
        aws_socket, console_socket = self._take_ports()
        self._logs.mkdir(parents=True, exist_ok=True)
        _log_to(self._logs / "local.log")
        folder = synth.found()
        if folder is None:
            with self._step("synthesising the stack (the first time takes a minute)"):
                folder = synth.make()
        with self._step("deploying the stack to a local AWS"):
            self._serve_aws(aws_socket)
            self.deployment = deploy(folder, self.ports.aws, os.environ.get("ENS_MPI", ""))
            registry.load(self.deployment.outputs["RegistryTable"], self.ports.aws)
            self._dynamodb.start(inherited=(aws_socket, console_socket))
            self._running.callback(self._dynamodb.stop)
        with self._step("starting the receiver and the functions"):
            self._start_receiver()
            self._start_functions()
            self.receiver.wait_until_live()
        self._serve_console(console_socket)
        # Loaded objects stay: without this, each full collection traverses them, for 0.2 s.
        gc.freeze()
        gc.enable()

    def _take_ports(self) -> tuple[socket, socket]:
        """Listens on our ports and makes sure of the receiver's, before anything slow begins."""
        for name, port, variable in (
            ("MLLP", self.ports.mllp, "ENS_MLLP_PORT"),
            ("receiver's health", self.ports.health, "ENS_HEALTH_PORT"),
        ):
            listen(name, port, variable).close()
        aws = self._running.enter_context(listen("AWS", self.ports.aws, "ENS_AWS_PORT"))
        page = self._running.enter_context(
            listen("console page", self.ports.console, "ENS_CONSOLE_PORT")
        )
        return aws, page

    def _serve_aws(self, sock: socket) -> None:
        app = create_app(self.ports.aws, self._invoke, self._in_front_of_aws)
        self._dynamodb = DynamoDbProcess(app)
        self._serve(sock, self._dynamodb.in_front_of(app))

    def _in_front_of_aws(self, app: App) -> App:
        return self._faults.in_front_of(with_controls(self.mailbox.in_front_of(app)))

    def _serve(self, sock: socket, app: App) -> WsgiServer:
        server = WsgiServer(sock, app).start()
        self._running.callback(server.stop)
        return server

    def _invoke(self, function: str, payload: bytes) -> tuple[bytes, bool]:
        assert self._workers is not None
        return self._workers.invoke(function, payload)

    def _start_functions(self) -> None:
        stand_in = self._faults.in_front_of(comprehend_medical.create_app())
        comprehend = self._serve(listen("Comprehend Medical", 0, ""), stand_in)
        index = mpi.start(mpi.ChosenMpi.from_environment(), registry.FOLDER, self._running)
        self._workers = Workers(
            [self._with_credentials(f, comprehend.url, index) for f in self.deployment.functions],
            runtime_folder(ROOT / ".build" / "lambda-runtime"),
            ROOT / ".build" / "bytecode",
            self._logs,
        )
        self._running.callback(self._workers.stop)
        # A sandbox of a scheduled function starts at the function's first call.
        self._workers.warm(without=scheduled_functions())
        events = SesEvents(self._invoke)
        self.mailbox.on_accepted(events.accepted)
        events.start()
        self._running.callback(events.stop)
        timer = Timer(self._invoke)
        timer.start()
        self._running.callback(timer.stop)
        pipe = PipeRunner(self.deployment.pipe, self.ports.aws)
        pipe.start()
        self._running.callback(pipe.stop)

    def _with_credentials(
        self, function: LambdaFunction, comprehend_url: str, index: dict[str, str]
    ) -> LambdaFunction:
        directory = {n: value for n, value in index.items() if n == "ENS_PROVIDER_DIRECTORY"}
        return replace(
            function,
            environment={
                **function.environment,
                **role_environment(self.ports.aws, function.role_arn),
                **(index if function.name.endswith("-LookupIdentities") else {}),
                **(directory if function.name.endswith("-DeliverNotification") else {}),
                "AWS_ENDPOINT_URL_COMPREHENDMEDICAL": comprehend_url,
                "AWS_ENDPOINT_URL_DYNAMODB": self._dynamodb.url,
                "AWS_LAMBDA_FUNCTION_NAME": function.name,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
                "LAMBDA_TASK_ROOT": str(function.asset),
                "POWERTOOLS_TRACE_DISABLED": "1",
                "TZ": ":UTC",
            },
        )

    def _start_receiver(self) -> None:
        self.receiver = ReceiverProcess(
            self.deployment, self.ports.mllp, self.ports.health, self._logs / "receiver.log"
        )
        self._running.callback(self.receiver.stop)

    def _serve_console(self, sock: socket) -> None:
        os.environ["ENS_AWS_PORT"] = str(self.ports.aws)
        self.trails = TrailSource(ops_deployment.find("local"))
        deployment = self.trails.deployment
        app = console.create_app(
            self.trails, self.mailbox, StaySource(deployment), ConsoleLooks(deployment)
        )
        self._serve(sock, app)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        self._say(f"  {what} ... ", end="")
        try:
            yield
        except BaseException:
            self._say("")
            raise
        self._say(f"{time.monotonic() - began:.1f} s")


def _log_to(file: Path) -> None:
    """Sends what moto and our threads have to say to a file: the terminal belongs to the user."""
    logging.basicConfig(
        filename=file,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
