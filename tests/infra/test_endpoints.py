"""Every service that something in the VPC calls has an endpoint, open for those calls alone, and no other has."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from environments import MpiSection, load
from infra.reference.table import reference
from tests.infra.conftest import CLOUD, Stacks, stacks_of
from tests.infra.grants import code_calls
from tests.infra.template import STEPS, Resource, listed, text

# The service names of endpoints by the prefix of IAM actions (AWS PrivateLink guide, "AWS services that
# integrate with AWS PrivateLink"). `email` is the SES API; `email-smtp` is not.
ENDPOINTS = {"ses": {"email"}, "ecr": {"ecr.api", "ecr.dkr"}}
# What ECS calls from the VPC to start the receiver's task (ECR user guide, "Amazon ECR interface VPC
# endpoints"; ECS developer guide, "awslogs log driver").
BY_ECS = {
    *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
    *("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
    *("logs:CreateLogStream", "logs:PutLogEvents"),
}
ACCOUNT = {"Ref": "AWS::AccountId"}


@pytest.fixture(scope="module")
def dev_with_mpi() -> Stacks:
    """A development environment whose MPI is in the hospital's network."""
    return stacks_of(replace(load("dev"), mpi=MpiSection(networks=("10.20.0.0/16",), port=3600)))


@pytest.fixture(params=[*CLOUD, "dev with MPI"])
def stacks(
    request: pytest.FixtureRequest, synthesised: Callable[[str], Stacks], dev_with_mpi: Stacks
) -> Stacks:
    return dev_with_mpi if request.param == "dev with MPI" else synthesised(request.param)


def inside(stacks: Stacks) -> list[str]:
    """The functions that run in the VPC."""
    return [step for step in STEPS if "VpcConfig" in stacks["core"].properties(step)]


def called_inside(stacks: Stacks) -> set[str]:
    """The actions of all calls that are made from the VPC."""
    principals = [*inside(stacks), "Receiver"]
    return BY_ECS | {call.action for principal in principals for call in code_calls(principal)}


def endpoints(stacks: Stacks) -> dict[str, Resource]:
    """The endpoints by their service's short name: `sqs`, `ecr.api`."""
    return {
        re.split(r"us-east-1\.|<AWS::Region>\.", text(endpoint["Properties"]["ServiceName"]))[-1]: (
            endpoint["Properties"]
        )
        for endpoint in stacks["network"].of_type("AWS::EC2::VPCEndpoint").values()
    }


def test_each_service_called_from_the_vpc_has_an_endpoint_and_no_other_has(stacks: Stacks) -> None:
    needed = set()
    for prefix in {action.partition(":")[0] for action in called_inside(stacks)}:
        needed |= ENDPOINTS.get(prefix, {prefix})
    assert set(endpoints(stacks)) == needed


def test_an_endpoint_lets_the_calls_through_and_nothing_else(stacks: Stacks) -> None:
    for name, endpoint in endpoints(stacks).items():
        allowed = {
            action
            for statement in endpoint["PolicyDocument"]["Statement"]
            if "Condition" in statement
            for action in listed(statement["Action"])
        }
        prefixes = {action.partition(":")[0] for action in allowed}
        assert allowed == {a for a in called_inside(stacks) if a.partition(":")[0] in prefixes}, (
            name
        )


def test_an_endpoint_is_open_for_this_accounts_roles_and_resources(stacks: Stacks) -> None:
    """An action without resources has no aws:ResourceAccount to compare."""
    for name, endpoint in endpoints(stacks).items():
        for statement in endpoint["PolicyDocument"]["Statement"]:
            if "starport-layer-bucket" in text(statement["Resource"]):
                continue
            accounts = statement["Condition"]["StringEquals"]
            assert accounts["aws:PrincipalAccount"] == ACCOUNT, name
            for action in listed(statement["Action"]):
                if reference().action(action).resources:
                    assert accounts["aws:ResourceAccount"] == ACCOUNT, action
                else:
                    assert "aws:ResourceAccount" not in accounts, action


def test_image_layers_can_be_read_from_ecrs_bucket_and_nothing_else_of_another_account(
    stacks: Stacks,
) -> None:
    (statement,) = (
        s for s in endpoints(stacks)["s3"]["PolicyDocument"]["Statement"] if "Condition" not in s
    )
    assert listed(statement["Action"]) == ["s3:GetObject"]
    assert text(statement["Resource"]) == "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_where_patients_are_real_no_function_can_reach_the_internet(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    assert inside(synthesised(name)) == list(STEPS)


def test_a_release_reaches_the_function_that_delivers(prod: Stacks) -> None:
    assert "lambda" in endpoints(prod)


def test_dev_pays_for_no_endpoint_of_a_function(synthesised: Callable[[str], Stacks]) -> None:
    dev = synthesised("dev")
    assert inside(dev) == []
    interfaces = {n for n, e in endpoints(dev).items() if e["VpcEndpointType"] == "Interface"}
    assert interfaces == {"sqs", "secretsmanager", "logs", "ecr.api", "ecr.dkr"}


def test_an_mpi_in_the_hospitals_network_brings_the_look_up_into_the_vpc(
    dev_with_mpi: Stacks,
) -> None:
    assert inside(dev_with_mpi) == ["LookupIdentities"]


def test_a_region_without_comprehend_medical_can_have_an_environment_that_sends_it_nothing() -> (
    None
):
    """docs/deploy.md, "Sign in". An endpoint of a service that a region lacks cannot be created."""
    environment = replace(load("prod"), cost_mode="off")
    stacks = stacks_of(environment)
    assert "comprehendmedical" not in endpoints(stacks)
    role = stacks["core"].id_of("ExtractEntitiesRole")
    actions = {action for one in stacks["core"].statements(role) for action in one.actions}
    assert not [action for action in actions if action.startswith("comprehendmedical:")]
