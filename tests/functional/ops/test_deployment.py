"""Finding a deployment: by its stack's outputs, or one sentence that says what is missing."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    SSOTokenLoadError,
)
from botocore.parsers import ResponseParserError
from click.testing import CliRunner, Result
from moto.server import ThreadedMotoServer

from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from ops import deployment as deployments
from ops.cli import main
from ops.deployment import Deployment, receiver_address
from ops.problem import ProblemError, sentence
from tests.conftest import ROOT
from tests.support import seal_keys
from tests.support.deployment import deploy
from tests.support.tables import create_tables
from tests.support.trails import told

Ens = Callable[..., Result]
EVENT = "a" * 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def running_local(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A local AWS on a port of its own, deployed as `local`, with one event in it; yields the port."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    create_tables(boto3.client("dynamodb"))
    seal_keys.create()
    for name in ("reference-key", "audit-key"):
        boto3.client("secretsmanager").create_secret(
            Name=name, SecretString='{"current":"k1","k1":"a secret"}'
        )
    deploy(boto3, "local")
    told(LedgerContext(LedgerSettings.from_environment()), EVENT)
    yield port
    urlopen(Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST")).close()
    server.stop()


def test_a_deployment_is_found_by_its_outputs_and_gives_the_steps_settings(
    deployment: Deployment,
) -> None:
    assert deployment.region == "us-east-1"
    assert deployment.output("AuditTable") == deployment.context.settings.audit_table == "audit"
    assert deployment.context.settings.environment == "dev"


def test_an_environment_that_is_not_deployed_is_one_sentence(ens: Ens) -> None:
    result = ens("events", environment="staging")
    assert result.exit_code == 1
    assert result.output.startswith("Error: hl7-ens is not deployed as `staging` in us-east-1")
    assert result.output.count("\n") == 1


def test_a_local_system_that_is_not_running_is_one_sentence(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_AWS_PORT", str(free_port()))
    result = CliRunner().invoke(main, ["events"])
    assert result.exit_code == 1
    assert "The local system is not running" in result.output
    assert "make run" in result.output


def test_help_asks_no_deployment(environment: dict[str, str]) -> None:
    assert CliRunner().invoke(main, ["dlq", "redrive", "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (NoCredentialsError(), "No AWS credentials were found"),
        (NoRegionError(), "set AWS_DEFAULT_REGION"),
        (
            CredentialRetrievalError(provider="x", error_msg="H00412"),
            "gives no credentials: sign in",
        ),
        (SSOTokenLoadError(error_msg="H00412"), "sign-in has expired"),
        (ProfileNotFound(profile="nobody"), "AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS did not answer"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "Query"), "sign in"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "Query"), "may not call Query"),
        (ClientError({"Error": {"Code": "403"}}, "HeadObject"), "may not call HeadObject"),
        (ClientError({"Error": {"Code": "KmsAccessDenied"}}, "SendMessage"), "may not call"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole"), "below [people]"),
        (ClientError({"Error": {"Code": "SignatureDoesNotMatch"}}, "Query"), "clock"),
        (ClientError({"Error": {"Code": "OptInRequired"}}, "Query"), "enable the region"),
        (
            ClientError({"Error": {"Code": "Odd", "Message": "H00412"}}, "Query"),
            "answered Query with Odd",
        ),
        (ClientError({"Error": {"Code": "Throttling"}}, "DescribeStacks"), "try again in a minute"),
        (DependencyUnavailableError("sqs SendMessage: SlowDown"), "try again in a minute"),
        (ResponseParserError("<html>H00412"), "check the network and its proxy"),
    ],
)
def test_what_aws_refuses_is_one_sentence_without_the_services_own_words(
    ens: Ens, monkeypatch: pytest.MonkeyPatch, failure: Exception, said: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(deployments, "_outputs", fail)
    result = ens("events")
    assert (result.exit_code, said in result.output) == (1, True)
    assert "H00412" not in result.output
    assert said in sentence(failure)


def test_the_region_in_the_environments_file_is_named_where_no_stack_is_found(
    ens: Ens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    said = ens("events").output
    assert "not deployed as `dev` in eu-west-1" in said
    assert "its file names us-east-1: check --env, AWS_PROFILE and AWS_DEFAULT_REGION" in said


def test_an_environment_without_a_file_is_one_sentence_too(ens: Ens) -> None:
    assert "not deployed as `prd` in us-east-1" in ens("events", environment="prd").output


def test_a_stack_without_an_output_says_which(deployment: Deployment) -> None:
    with pytest.raises(ProblemError, match="has no output Nothing"):
        deployment.output("Nothing")


def test_the_receiver_of_a_deployment_comes_from_its_ingress(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProblemError, match="give the address with --host"):
        receiver_address("dev")
    aws.client("cloudformation").create_stack(
        StackName="hl7-ens-dev-ingress",
        TemplateBody='{"Resources": {"Marker": {"Type": "AWS::SNS::Topic"}},'
        ' "Outputs": {"ReceiverAddress": {"Value": "nlb.example:17000"}}}',
    )
    assert receiver_address("dev") == ("nlb.example", 17000)
    monkeypatch.setenv("ENS_MLLP_PORT", "17500")
    assert receiver_address("local") == ("127.0.0.1", 17500)


def test_the_command_runs_from_any_folder_and_writes_no_colour_codes_when_piped(
    running_local: int, tmp_path: Path
) -> None:
    (tmp_path / "ops.py").write_text("raise SystemExit('a module of the folder ens is called in')")
    link = tmp_path / "ens"
    link.symlink_to(ROOT / "ens")
    done = subprocess.run(
        [str(link), "trace", EVENT],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "ENS_AWS_PORT": str(running_local),
            "AWS_PROFILE": "an account that must not be asked",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert EVENT in done.stdout
    assert "console.aws.amazon.com" not in done.stdout


def test_a_pipe_that_closes_early_ends_quietly(running_local: int) -> None:
    done = subprocess.run(
        [f"{sys.executable} -m ops events --json | head -c 1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENS_AWS_PORT": str(running_local)},
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[", "")
