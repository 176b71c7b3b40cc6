"""Environment variables that name no port or no URL: one sentence, whatever the command."""

import pytest
from click.testing import CliRunner

from ops import settings
from ops.cli import main


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENS_MLLP_PORT", "abc"),
        ("ENS_MLLP_PORT", "0"),
        ("ENS_AWS_PORT", "65536"),
        ("ENS_AWS_PORT", "²"),
        ("AWS_ENDPOINT_URL", "garbage"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://"),
    ],
)
def test_a_variable_that_names_no_port_or_no_url_is_named(name: str, value: str) -> None:
    ended = CliRunner(env={name: value}).invoke(main, ["events"])

    assert (ended.exit_code, ended.output.count("\n")) == (1, 1)
    assert name in ended.output


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENS_AWS_PORT", ""), ("ENS_MLLP_PORT", "27000"), ("AWS_ENDPOINT_URL", "https://a.example")],
)
def test_what_names_a_port_or_a_url_is_taken(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    settings.check()
