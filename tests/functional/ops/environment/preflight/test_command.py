"""`ens preflight` as a whole: the shipped files, the synthesised stacks, an account that refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result

from environments import load
from ops.cli import main
from ops.environment.preflight import assembly, runner
from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import Status
from tests.functional.ops.environment.preflight.world import ACCOUNT, environment
from tests.infra import assemblies
from tests.support.stubbed import StubbedClients

IDENTITY = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/deployer"}


@pytest.fixture(scope="module")
def prod() -> Path:
    """The synthesised stacks of prod, without the functions' packages."""
    return assemblies.assembly(load("prod"))


@pytest.fixture
def preflight(prod: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `ens preflight` on prod without credentials."""

    def client(_: object, service: str) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(runner.AwsClients, "client", client)

    def run(*options: str, folder: Path = prod) -> Result:
        arguments = ["--env", "prod", "preflight", "--assembly", str(folder), *options]
        return CliRunner().invoke(main, arguments)

    return run


def test_the_shipped_prod_files_stop_with_every_placeholder_named(
    preflight: Callable[..., Result],
) -> None:
    result = preflight()
    assert result.exit_code == 1
    for key in ("mail.domain", "mail.from_address", "alarm_addresses[0]", "senders"):
        assert f"where: environments/prod.toml: {key}\n" in result.output
    assert "no AWS service was called: No AWS credentials were found" in result.output


def test_the_checks_without_aws_need_no_profile(
    preflight: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "misspelt")
    assert "the region us-east-1 has what the settings need" in preflight().output


def test_the_findings_can_be_had_as_json(preflight: Callable[..., Result]) -> None:
    findings = json.loads(preflight("--json").output)
    assert {"check", "status", "what", "where", "to_do"} == set(findings[0])


def test_a_folder_without_stacks_says_which_command_makes_them(
    preflight: Callable[..., Result], tmp_path: Path
) -> None:
    result = preflight(folder=tmp_path)
    assert "make preflight ENV=prod" in result.output


def test_the_stacks_say_what_they_need_of_the_account(prod: Path) -> None:
    read = assembly.read(prod)
    assert read.stacks == ("hl7-ens-prod-network", "hl7-ens-prod-core", "hl7-ens-prod-ingress")
    # Version 6 brought the check itself (CDK developer guide, "Bootstrap template version history").
    assert read.bootstrap_version >= 6
    services = {e.text("ServiceName") for e in read.of_type("AWS::EC2::VPCEndpoint")}
    assert "com.amazonaws.us-east-1.email" in services


def test_a_check_that_aws_denies_is_not_checked_and_the_others_are(prod: Path) -> None:
    plan = Plan(environment(), assembly.read(prod))
    answers = StubbedClients().give("sts", "get_caller_identity", IDENTITY)
    answers.refuse("ssm", "get_parameter", "AccessDeniedException")
    answers.give(
        "lambda",
        "get_account_settings",
        {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}},
    )
    answers.refuse("lambda", "get_function_concurrency", "ResourceNotFoundException")
    kept = {"bootstrap": runner.ONLINE["bootstrap"], "concurrency": runner.ONLINE["concurrency"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "ONLINE", kept)
        found = dict(runner.run(plan, answers))
    assert found["bootstrap"].status is Status.NOT_CHECKED
    assert "GetParameter" in found["bootstrap"].what
    assert found["concurrency"].status is Status.OK


def test_in_another_account_nothing_more_is_asked(prod: Path) -> None:
    plan = Plan(environment(account="444455556666"), assembly.read(prod))
    answers = StubbedClients().give("sts", "get_caller_identity", IDENTITY)
    last = list(runner.run(plan, answers))[-1]
    assert last[1].status is Status.NOT_CHECKED
