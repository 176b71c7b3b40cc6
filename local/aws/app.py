"""AWS on this machine: moto behind one loopback port, its workflow interpreter on, our functions in it."""

import importlib
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.config import Config
from moto.awslambda.models import LambdaFunction
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from local.aws import dispatch
from local.aws.clients import client
from local.aws.invoker import LambdaInvoker
from local.aws.sockets import App
from local.patches import botocore, speed
from local.patches.additions import (
    authorisation,
    execution_ends,
    fifo,
    ses_account,
    session_tokens,
)
from local.patches.patching import replace

Invoke = Callable[[str, bytes], tuple[bytes, bool]]
"""Runs a function, by name, on a payload. Answers the payload to return and whether it is an error."""


def create_app(port: int, invoke: Invoke, layers: Callable[[App], App] = lambda app: app) -> App:
    """The WSGI app of the local AWS behind `layers`, to be served on `port`; functions run by `invoke`.

    moto keeps its state in this process and is changed for all of it: one such app a process.
    """
    os.environ["MOTO_PORT"] = str(port)
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    botocore.install_for_loopback()
    speed.install()
    authorisation.install()
    execution_ends.install()
    fifo.install()
    ses_account.install()
    session_tokens.install()
    _run_functions_with(invoke)
    app = layers(dispatch.in_front_of(DomainDispatcherApplication(create_backend_app)))
    _act_in_the_machines_role(port, app)
    return app


def _run_functions_with(invoke: Invoke) -> None:
    def run(
        function: LambdaFunction, body: str, request_headers: Any, response_headers: Any
    ) -> bytes:
        payload = (body or "{}").encode()
        if request_headers.get("X-Amz-Invocation-Type") == "Event":
            threading.Thread(target=invoke, args=(function.function_name, payload)).start()
            return b""
        answer, is_error = invoke(function.function_name, payload)
        if is_error:
            response_headers["x-amz-function-error"] = "Unhandled"
        return answer

    replace(LambdaFunction, "invoke", run)


def _act_in_the_machines_role(port: int, app: App) -> None:
    """Has the workflow interpreter call services with the state machine's role, as AWS does.

    Its own keys may do anything; with the role, a grant that the workflow lacks fails here too.
    """

    @cache
    def client_of(service: str, role_arn: str) -> Any:
        if service == "lambda":
            return LambdaInvoker(app, port, role_arn)
        return client(service, port, role_arn, Config(parameter_validation=False))

    making = threading.Lock()

    def in_role(region: str, service: str, state_credentials: Any = None) -> Any:
        with making:  # a client takes a second to make: executions that start together share it
            return client_of(service, state_credentials.role_arn)

    importlib.import_module(
        "moto.stepfunctions.parser.models"
    )  # loads every module that imports the name
    for module in list(sys.modules.values()):
        if getattr(module, "boto_client_for", None) is boto_client_for:
            replace(module, "boto_client_for", in_role)
