"""The costs of an idle environment in docs/cost.md are those of today's templates."""

from collections.abc import Callable

from bench.idle_cost import Line, lines, table
from tests.conftest import ROOT
from tests.infra.conftest import CLOUD, Stacks


def test_the_table_of_the_documents_is_that_of_the_templates(
    synthesised: Callable[[str], Stacks],
) -> None:
    columns = {
        name: lines(template.resources for template in synthesised(name).values()) for name in CLOUD
    }
    assert table(columns) in (ROOT / "docs" / "cost.md").read_text("utf-8")


def test_an_interface_endpoint_costs_in_each_of_its_zones_and_a_gateway_nothing() -> None:
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}
    stack = {
        "Sqs": {"Type": "AWS::EC2::VPCEndpoint", "Properties": interface},
        "S3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
    }
    assert lines([stack]) == [Line("interface endpoints, by zone", 2, 2 * 0.01 * 730)]


def test_two_small_receivers_cost_what_aws_names_for_them() -> None:
    """Half a vCPU and one GB on arm64 all month: 14.42 USD (Fargate's list price)."""
    stack = {
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"Cpu": "256", "Memory": "512"},
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {"TaskDefinition": {"Ref": "Task"}},
        },
        "Scaling": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {"MinCapacity": 2, "MaxCapacity": 6},
        },
    }
    assert round(sum(line.usd for line in lines([stack])), 2) == 14.42
