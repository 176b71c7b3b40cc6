"""The network and the way in: no internet, only the hospitals' networks, receivers that stop gently."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from environments import CustomerGateway, load
from tests.conftest import ROOT
from tests.infra.conftest import Stacks, stacks_of
from tests.infra.template import Template, text

ANYWHERE = ("0.0.0.0/0", "::/0")


@pytest.fixture(scope="module")
def behind_vpn() -> Stacks:
    """A development environment with a hospital's VPN gateway and a TLS certificate."""
    dev = load("dev")
    assert dev.network is not None
    gateway = CustomerGateway(name="Northgen", ip="198.51.100.7", networks=("10.20.0.0/16",))
    certificate = "arn:aws:acm:us-east-1:111122223333:certificate/1"
    return stacks_of(
        replace(
            dev,
            account="111122223333",
            network=replace(dev.network, customer_gateways=(gateway,)),
            receiver=replace(dev.receiver, certificate_arn=certificate, plain_text_because=""),
        )
    )


@pytest.mark.parametrize("stack", ["network", "core", "ingress"])
def test_no_security_group_names_the_whole_internet(stack: str, prod: Stacks) -> None:
    assert [c for c in ANYWHERE if c in json.dumps(rules(prod[stack]))] == []


def rules(template: Template) -> list[Any]:
    kinds = ("SecurityGroup", "SecurityGroupIngress", "SecurityGroupEgress")
    return [
        resource["Properties"]
        for kind in kinds
        for resource in template.of_type(f"AWS::EC2::{kind}").values()
    ]


def test_there_is_no_way_to_the_internet(prod: Stacks) -> None:
    network = prod["network"]
    assert not network.of_type("AWS::EC2::InternetGateway")
    assert not network.of_type("AWS::EC2::NatGateway")
    assert not network.of_type("AWS::EC2::Route")
    subnets = network.of_type("AWS::EC2::Subnet").values()
    assert len({s["Properties"]["AvailabilityZoneId"] for s in subnets}) >= 2
    assert not any(s["Properties"]["MapPublicIpOnLaunch"] for s in subnets)


def test_every_connection_is_logged(prod: Stacks) -> None:
    (flow,) = prod["network"].of_type("AWS::EC2::FlowLog").values()
    assert flow["Properties"]["TrafficType"] == "ALL"


def test_senders_reach_the_load_balancer_on_mllps_port_only(prod: Stacks) -> None:
    group = prod["ingress"].properties("LoadBalancer/SecurityGroup")
    assert [
        (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupIngress"]
    ] == [("10.0.0.0/8", 17000, 17000)]


def test_receivers_take_connections_from_the_load_balancer_alone(prod: Stacks) -> None:
    ingress = prod["ingress"]
    assert "SecurityGroupIngress" not in ingress.properties("ReceiverSecurityGroup")
    tasks = f"<{ingress.id_of('ReceiverSecurityGroup')}.GroupId>"
    balancer = f"<{ingress.id_of('LoadBalancer/SecurityGroup')}.GroupId>"
    rules = [r["Properties"] for r in ingress.of_type("AWS::EC2::SecurityGroupIngress").values()]
    allowed = [rule for rule in rules if text(rule["GroupId"]) == tasks]
    assert {text(rule["SourceSecurityGroupId"]) for rule in allowed} == {balancer}
    assert {rule["FromPort"] for rule in allowed} == {17000, 17001}


def test_the_load_balancer_is_internal_and_has_a_security_group(prod: Stacks) -> None:
    balancer = prod["ingress"].properties("LoadBalancer/Balancer")
    assert balancer["Type"] == "network"
    assert balancer["Scheme"] == "internal"
    # It cannot be given one later.
    assert balancer["SecurityGroups"]
    attributes = attributes_of(balancer, "LoadBalancerAttributes")
    assert attributes["deletion_protection.enabled"] == "true"


def attributes_of(resource: dict[str, Any], name: str) -> dict[str, str]:
    return {entry["Key"]: entry["Value"] for entry in resource[name]}


def test_a_receiver_is_asked_whether_it_serves_and_may_finish_what_it_read(prod: Stacks) -> None:
    group = prod["ingress"].properties("LoadBalancer/Receivers")
    assert group["HealthCheckProtocol"] == "HTTP"
    assert (group["HealthCheckPath"], group["HealthCheckPort"]) == ("/live", "17001")
    attributes = attributes_of(group, "TargetGroupAttributes")
    assert attributes["preserve_client_ip.enabled"] == "true"
    assert attributes["deregistration_delay.timeout_seconds"] == "120"
    assert attributes["deregistration_delay.connection_termination.enabled"] == "true"
    assert container(prod)["StopTimeout"] == 120


def container(stacks: Stacks) -> dict[str, Any]:
    task = stacks["ingress"].properties("Receiver/Task")
    (only,) = task["ContainerDefinitions"]
    found: dict[str, Any] = only
    return found


def test_a_receiver_cannot_write_to_its_disk_or_be_root(prod: Stacks) -> None:
    receiver = container(prod)
    assert receiver["ReadonlyRootFilesystem"] is True
    assert receiver["User"].split(":")[0] not in ("", "0", "root")
    assert f"USER {receiver['User']}\n" in (ROOT / "receiver" / "Dockerfile").read_text()
    assert receiver["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}


def test_ecs_asks_the_receiver_with_what_is_in_the_image(prod: Stacks) -> None:
    *_, module = container(prod)["HealthCheck"]["Command"]
    assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


def test_a_receiver_is_told_every_setting_that_it_must_have(prod: Stacks) -> None:
    told = {variable["Name"] for variable in container(prod)["Environment"]}
    source = (ROOT / "receiver" / "settings.py").read_text("utf-8")
    asked = {part.split('"')[0] for part in source.split('required("')[1:]}
    assert asked
    assert asked <= told


def test_receivers_are_two_at_least_and_a_bad_deployment_goes_back(prod: Stacks) -> None:
    service = prod["ingress"].properties("Receiver/Service/Service")
    deployment = service["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["MinimumHealthyPercent"] == 100
    (scaling,) = prod["ingress"].of_type("AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert scaling["Properties"]["MinCapacity"] >= 2
    assert scaling["Properties"]["MaxCapacity"] > scaling["Properties"]["MinCapacity"]


def test_a_deployment_under_load_ends_no_receiver_that_the_scaling_has_added(prod: Stacks) -> None:
    """aws/containers-roadmap issue 493: CloudFormation sets a DesiredCount again with each update."""
    assert "DesiredCount" not in prod["ingress"].properties("Receiver/Service/Service")


def test_without_a_customer_gateway_there_is_no_vpn(prod: Stacks) -> None:
    assert not prod["network"].of_type("AWS::EC2::VPNConnection")


def test_a_hospital_s_tunnels_are_found_by_its_name_without_those_of_others(
    behind_vpn: Stacks,
) -> None:
    """The configuration of a VPN connection holds its pre-shared keys.

    Without a device name, EC2 makes no second customer gateway for an address (EC2 API,
    "CreateCustomerGateway"): two environments, or two hospitals behind one device, would share it.
    """
    (device,) = behind_vpn["network"].of_type("AWS::EC2::CustomerGateway").values()
    assert device["Properties"]["DeviceName"] == "hl7-ens-dev-Northgen"
    for kind in ("CustomerGateway", "VPNConnection"):
        (made,) = behind_vpn["network"].of_type(f"AWS::EC2::{kind}").values()
        tags = {tag["Key"]: tag["Value"] for tag in made["Properties"]["Tags"]}
        assert tags["Name"] == "hl7-ens-dev-Northgen"
    (gateway,) = behind_vpn["network"].of_type("AWS::EC2::VPNGateway").values()
    assert {"Key": "Name", "Value": "hl7-ens-dev"} in gateway["Properties"]["Tags"]


def test_a_hospital_with_a_gateway_gets_its_vpn(behind_vpn: Stacks) -> None:
    network = behind_vpn["network"]
    (gateway,) = network.of_type("AWS::EC2::CustomerGateway").values()
    assert gateway["Properties"]["IpAddress"] == "198.51.100.7"
    assert len(network.of_type("AWS::EC2::VPNConnection")) == 1
    (route,) = network.of_type("AWS::EC2::VPNConnectionRoute").values()
    assert route["Properties"]["DestinationCidrBlock"] == "10.20.0.0/16"
    (propagated,) = network.of_type("AWS::EC2::VPNGatewayRoutePropagation").values()
    assert len(propagated["Properties"]["RouteTableIds"]) == 2


def test_with_a_certificate_senders_speak_tls(behind_vpn: Stacks, prod: Stacks) -> None:
    listener = behind_vpn["ingress"].properties("LoadBalancer/Balancer/Mllp")
    assert (listener["Port"], listener["Protocol"]) == (17000, "TLS")
    assert "TLS13" in listener["SslPolicy"]
    plain = prod["ingress"].properties("LoadBalancer/Balancer/Mllp")
    assert (plain["Port"], plain["Protocol"]) == (17000, "TCP")
    assert plain["ListenerAttributes"] == [{"Key": "tcp.idle_timeout.seconds", "Value": "6000"}]


def test_a_named_account_is_not_asked_for_its_zones(behind_vpn: Stacks) -> None:
    """CDK would look them up in AWS and leave a question in the manifest instead of an answer."""
    assert behind_vpn["network"].missing == []
    subnets = behind_vpn["network"].of_type("AWS::EC2::Subnet").values()
    zones = [subnet["Properties"]["AvailabilityZoneId"] for subnet in subnets]
    assert zones == ["use1-az1", "use1-az2"]


def test_functions_can_leave_the_vpc_of_a_deployed_environment(prod: Stacks) -> None:
    """The network stack is deployed first, while the deployed core still imports.

    CloudFormation user guide, "Get exported outputs": no export can be deleted while a stack imports it.
    """
    environment = load("prod")
    assert environment.network is not None
    outside = replace(environment, network=replace(environment.network, functions_inside=False))
    for name, template in stacks_of(outside).items():
        assert exports(template) >= exports(prod[name]), name


def exports(template: Template) -> set[str]:
    outputs = template.document.get("Outputs", {}).values()
    return {output["Export"]["Name"] for output in outputs if "Export" in output}


def test_synth_needs_no_docker(prod: Stacks) -> None:
    """It was not there when prod was synthesised, and the receiver's image is described anyway."""
    assert not Path(os.environ["CDK_DOCKER"]).exists()
    assert container(prod)["Image"]
