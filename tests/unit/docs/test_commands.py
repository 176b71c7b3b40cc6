"""Every command in the documents exists: `aws` by AWS's service models, `make`, and `ens`."""

import re
import subprocess
import tomllib

import botocore.session
import click
import jmespath  # type: ignore[import-untyped]
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from environments.schema import check
from ops.cli import main
from tests.conftest import ROOT
from tests.unit.docs.pages import PAGES, Command, commands

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
# Options of the AWS CLI itself (AWS CLI user guide, "Global options").
GLOBAL = {"--query", "--output", "--region", "--profile", "--no-cli-pager"}
SERVICES = {"s3api": "s3"}
# Commands that the AWS CLI has beside the services' operations.
OWN = {("sso", "login")}

_TOML = re.compile(r"^ *```toml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)

AWS = botocore.session.get_session()


def operation(service: str, name: str) -> OperationModel | None:
    """The model of `aws <service> <name>`; None where AWS has no such service or operation."""
    try:
        model = AWS.get_service_model(SERVICES.get(service, service))
    except UnknownServiceError:
        return None
    by_name = {xform_name(one, "-"): one for one in model.operation_names}
    return model.operation_model(by_name[name]) if name in by_name else None


def faults(command: Command) -> list[str]:
    """The reason for which the AWS CLI would refuse a command."""
    service, name, *rest = command.words[1:]
    if (service, name) in OWN:
        return []
    if name == "wait":
        waiters = AWS.create_client(SERVICES.get(service, service), region_name="us-east-1")
        known = {waiter.replace("_", "-") for waiter in waiters.waiter_names}
        return [] if rest[0] in known else [f"{command}: no such waiter"]
    model = operation(service, name)
    if model is None:
        return [f"{command}: no such operation"]
    members = model.input_shape.members if model.input_shape else {}
    known = {f"--{xform_name(member, '-')}" for member in members}
    known |= {
        f"--no-{xform_name(member, '-')}"
        for member, shape in members.items()
        if shape.type_name == "boolean"
    }
    own = [option for option in command.options if option not in GLOBAL]
    found = [f"{command}: no option {option}" for option in own if option not in known]
    required = model.input_shape.required_members if own and model.input_shape else []
    lacking = {f"--{xform_name(member, '-')}" for member in required} - set(own)
    return found + [f"{command}: lacks {option}" for option in sorted(lacking)]


def test_every_aws_command_is_one_that_aws_knows() -> None:
    found = [command for command in commands("aws") if len(command.words) > 2]
    assert len(found) > 50
    assert [fault for command in found for fault in faults(command)] == []


def test_every_query_can_be_read() -> None:
    queries = [
        command.words[command.words.index("--query") + 1]
        for command in commands("aws")
        if "--query" in command.words
    ]
    assert len(queries) > 10
    for query in queries:
        # A literal between backticks must be JSON; words of a page in it are not.
        assert "`" not in query or '`"' in query, query
        jmespath.compile(query)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("aws pipes start-pipes --name x", "no such operation"),
        ("aws pipes start-pipe --pipe-name x", "no option --pipe-name"),
        ("aws sesv2 put-account-details --mail-type TRANSACTIONAL", "lacks --website-url"),
        ("aws dynamodb wait table-is-there --table-name x", "no such waiter"),
        ("aws dynamodbx list-tables", "no such operation"),
    ],
)
def test_a_wrong_aws_command_is_found(words: str, fault: str) -> None:
    assert fault in "".join(faults(Command("page", tuple(words.split()))))


def test_every_make_command_has_its_target_and_its_variables() -> None:
    found = [command for command in commands("make") if "…" not in command.words[1]]
    targets = dict(re.findall(r"^([a-z_-]+):[^\n]*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE))
    wrong = []
    for command in found:
        target = command.words[1]
        recipe = targets.get(target)
        if recipe is None:
            wrong.append(f"{command}: no such target")
            continue
        given = [word.partition("=")[0] for word in command.words[2:] if "=" in word]
        wrong += [f"{command}: {name} is not used" for name in given if f"({name})" not in recipe]
    assert len(found) > 20
    assert wrong == []


def test_options_of_a_pipeline_reach_both_passes_of_a_deployment() -> None:
    """docs/deploy.md, "Deploy": without a terminal, CDK stops at its question about permissions."""
    asked = "--require-approval never"
    assert f"ARGS='{asked}'" in (ROOT / "docs" / "deploy.md").read_text("utf-8")
    shown = subprocess.run(
        ["make", "--dry-run", "deploy", "ENV=dev", f"ARGS={asked}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    passes = re.findall(r"deploy --all -c env=dev([^|\n]*)", shown)
    assert len(passes) == 2
    assert all(asked in options for options in passes)


def test_every_ens_command_exists_with_its_options() -> None:
    found = commands("ens")
    assert len(found) > 50
    assert [str(command) for command in found if not known_to_ens(command)] == []


def test_a_wrong_ens_command_is_found() -> None:
    for words in ("ens rooster list", "ens dlq listen", "ens --env dev smoke --in-vcp"):
        assert not known_to_ens(Command("page", tuple(words.split()))), words


def test_every_piece_of_toml_can_be_read() -> None:
    pieces = [piece for page in PAGES for piece in _TOML.findall(page.read_text("utf-8"))]
    assert len(pieces) >= 5
    for piece in pieces:
        tomllib.loads(piece)


def test_every_sender_file_in_a_page_fits_the_schema() -> None:
    """A deployer copies them into environments/senders/."""
    seen = 0
    for page in PAGES:
        for piece in _TOML.findall(page.read_text("utf-8")):
            content = tomllib.loads(piece)
            if "sending_application" in content:
                check(page, content, "sender.schema.json")
                seen += 1
    assert seen >= 3


def known_to_ens(command: Command) -> bool:
    """Whether the words lead to a command or group of `ens` that has these options."""
    words = list(command.words[1:])
    if "--env" in words:
        del words[words.index("--env") : words.index("--env") + 2]
    current: click.Command = main
    for word in words:
        if not isinstance(current, click.Group) or word.startswith("-"):
            break
        # A page may name several at once: `ens rejected list|show`.
        name = word.partition("|")[0]
        if name not in current.commands:
            return False
        current = current.commands[name]
    return set(command.options) <= options_of(main) | options_of(current) | {"--help"}


def options_of(command: click.Command) -> set[str]:
    """Every way to write an option of a command."""
    return {name for parameter in command.params for name in parameter.opts}
