"""A new account takes the deployment: nothing that its quotas or its other zone names would refuse."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.assemblies import Stacks
from tests.infra.conftest import CLOUD
from tests.infra.template import Template
from tests.unit.environments.files import ENVIRONMENT, changed, refusal


def test_no_environment_reserves_concurrency_of_a_new_account(all_stacks: list[Template]) -> None:
    """A new account may run 10 functions at once, and Lambda keeps those unreserved."""
    reserved = [
        function["Properties"]["ReservedConcurrentExecutions"]
        for template in all_stacks
        for function in template.of_type("AWS::Lambda::Function").values()
        if "ReservedConcurrentExecutions" in function["Properties"]
    ]
    assert reserved == []


@pytest.mark.parametrize("name", CLOUD)
def test_zones_are_named_by_their_ids(name: str, synthesised: Callable[[str], Stacks]) -> None:
    """The name us-east-1a is another zone in another account (EC2 user guide, "AZ IDs")."""
    stacks = synthesised(name)
    subnets = [s["Properties"] for s in stacks["network"].of_type("AWS::EC2::Subnet").values()]
    assert len({subnet["AvailabilityZoneId"] for subnet in subnets}) >= 2
    assert not any("AvailabilityZone" in subnet for subnet in subnets)
    for template in stacks.values():
        assert not re.search(r'"us-east-1[a-f]"', str(template.document).replace("'", '"'))


def test_a_zone_that_is_no_id_is_refused(tmp_path: Path) -> None:
    named = changed(ENVIRONMENT, ("network", "availability_zones", 0), "us-east-1a")
    text = refusal(tmp_path, "environment", named)
    assert "west.toml: network.availability_zones[0]: 'us-east-1a'; allowed: a zone id" in text


@pytest.mark.parametrize("name", CLOUD)
def test_a_receiver_that_does_not_start_ends_the_deployment(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    """Without the circuit breaker CloudFormation waits three hours for a first service."""
    (service,) = synthesised(name)["ingress"].of_type("AWS::ECS::Service").values()
    breaker = service["Properties"]["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}


def test_no_template_creates_a_role_that_a_used_account_has_already(
    all_stacks: list[Template],
) -> None:
    """A service-linked role exists once in an account; a second creation fails."""
    for template in all_stacks:
        assert not template.of_type("AWS::IAM::ServiceLinkedRole")
