"""The way to an index outside: one secret, one port, one network, and only where one is configured."""

import json
from dataclasses import replace

import pytest

from environments import MpiSection, load
from tests.infra.assemblies import Stacks, stacks_of
from tests.infra.template import Template

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:mpi-AbCdEf"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"


@pytest.fixture(scope="module")
def with_index() -> Stacks:
    """A development environment with an index in the hospital's network."""
    mpi = MpiSection(
        settings={
            "host": "mpi.northgen.example",
            "port": 3600,
            "pdq": {"port": 3601},
            "tls": True,
            "domain": "REGION",
        },
        providers="fhir",
        secret_arn=SECRET,
        secret_key_arn=KEY,
        networks=("10.20.0.0/16",),
        port=3600,
    )
    return stacks_of(replace(load("dev"), account="111122223333", mpi_client="pixpdq", mpi=mpi))


def test_the_function_is_told_where_the_index_is(with_index: Stacks) -> None:
    told = with_index["core"].properties("LookupIdentities")["Environment"]["Variables"]
    assert told["ENS_MPI_CLIENT"] == "pixpdq"
    assert told["ENS_PROVIDER_DIRECTORY"] == "fhir"
    assert json.loads(told["ENS_MPI_SETTINGS"])["host"] == "mpi.northgen.example"
    assert told["ENS_MPI_SECRET"] == SECRET


def test_only_that_function_may_read_the_secret_of_the_index(with_index: Stacks) -> None:
    core = with_index["core"]
    statements = {
        role: [s for s in core.statements(role) if SECRET in s.resources]
        for role in core.of_type("AWS::IAM::Role")
    }
    assert [role for role, found in statements.items() if found] == [
        core.id_of("LookupIdentitiesRole")
    ]
    assert any(KEY in s.resources for s in core.statements(core.id_of("LookupIdentitiesRole")))


def test_the_functions_get_out_to_the_index_and_to_nothing_more(with_index: Stacks) -> None:
    rules = with_index["network"].properties("FunctionsSecurityGroup")["SecurityGroupEgress"]
    ways = [rule for rule in rules if rule.get("CidrIp") == "10.20.0.0/16"]
    assert [(way["FromPort"], way["ToPort"], way["IpProtocol"]) for way in ways] == [
        (3600, 3600, "tcp"),
        (3601, 3601, "tcp"),
    ]


def test_without_an_index_there_is_no_way_out(prod: Stacks, core: Template) -> None:
    rules = json.dumps(prod["network"].properties("FunctionsSecurityGroup"))
    assert "master patient index" not in rules
    told = core.properties("LookupIdentities")["Environment"]["Variables"]
    assert told["ENS_MPI_SETTINGS"] == "{}"
    assert "ENS_MPI_SECRET" not in told
