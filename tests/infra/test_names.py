"""Names that AWS takes: unique over all stacks of all environments, and of a form that AWS accepts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import regex

from environments import load
from tests.infra.assemblies import Stacks, stacks_of
from tests.infra.cloudformation import PhysicalName, limits, name_properties, physical_names
from tests.infra.conftest import CLOUD
from tests.infra.template import Template, text

LONGEST = "e" * 15

# The schemas say nothing of these. Each pattern is from the page of the property or of the API.
PATTERNS = {
    # SQS API, CreateQueue: "up to 80 characters: alphanumeric, hyphens, underscores"; FIFO: ".fifo".
    ("AWS::SQS::Queue", "QueueName"): r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?",
    # ELB API, CreateLoadBalancer and CreateTargetGroup: 32 characters, no hyphen at an end.
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): (
        r"(?!internal-)(?=.{1,32}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
    ),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name"): (
        r"(?=.{1,32}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
    ),
    # SNS API, CreateTopic.
    ("AWS::SNS::Topic", "TopicName"): r"[A-Za-z0-9_-]{1,256}",
    # Step Functions API, CreateStateMachine; only these characters also go into logs.
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): r"[A-Za-z0-9_-]{1,80}",
    # ECS API, CreateCluster, CreateService and RegisterTaskDefinition: 255 characters.
    ("AWS::ECS::Cluster", "ClusterName"): r"[A-Za-z0-9_-]{1,255}",
    ("AWS::ECS::Service", "ServiceName"): r"[A-Za-z0-9_-]{1,255}",
    ("AWS::ECS::TaskDefinition", "Family"): r"[A-Za-z0-9_-]{1,255}",
    # CloudWatch API, PutDashboard.
    ("AWS::CloudWatch::Dashboard", "DashboardName"): r"[A-Za-z0-9_-]{1,255}",
}


def names(templates: list[Template]) -> list[PhysicalName]:
    return [name for template in templates for name in physical_names(template)]


def taken_twice(templates: list[Template]) -> list[str]:
    counted = Counter(name.claim for name in names(templates))
    return [str(claim) for claim, times in counted.items() if times > 1]


def test_the_schemas_tell_which_properties_are_names() -> None:
    assert name_properties("AWS::CloudWatch::Alarm") == ["AlarmName"]
    assert name_properties("AWS::SQS::Queue") == ["QueueName"]
    assert name_properties("AWS::Events::Rule") == ["Name"]
    assert name_properties("AWS::EC2::Subnet") == []


def test_no_two_resources_of_an_account_take_the_same_name(
    synthesised: Callable[[str], Stacks],
) -> None:
    """Dev, staging and prod may share an account; the local environment has none."""
    account = [t for name in CLOUD for t in synthesised(name).values()]
    assert len(names(account)) > 100
    assert taken_twice(account) == []
    assert taken_twice(list(synthesised("local").values())) == []


def test_no_two_stacks_export_the_same_name(all_stacks: list[Template]) -> None:
    exports = Counter(
        text(output["Export"]["Name"])
        for template in all_stacks
        for output in template.document.get("Outputs", {}).values()
        if "Export" in output
    )
    assert [name for name, times in exports.items() if times > 1] == []


def test_every_name_has_a_form_that_aws_accepts(all_stacks: list[Template]) -> None:
    assert refused(names(all_stacks)) == []


def test_the_longest_name_of_an_environment_still_gives_names_that_aws_accepts() -> None:
    stacks = list(stacks_of(replace(load("prod"), name=LONGEST)).values())
    assert refused(names(stacks)) == []
    # CloudFormation API, CreateStack.
    assert all(regex.fullmatch("[A-Za-z][A-Za-z0-9-]{0,127}", stack.name) for stack in stacks)


@pytest.mark.parametrize("name", [LONGEST + "e", "dev-2", "Dev", "2nd", ""])
def test_an_environment_s_name_fits_into_every_name_and_is_no_prefix_of_another_s(
    name: str,
) -> None:
    """`hl7-ens-dev-*` in a policy would match the resources of an environment `dev-2`."""
    with pytest.raises(ValueError, match="lower-case letters"):
        replace(load("dev"), name=name)


def refused(found: list[PhysicalName]) -> list[str]:
    return [f"{n.stack}/{n.logical_id}: {n.value}" for n in found if not accepted(n)]


def accepted(name: PhysicalName) -> bool:
    known = limits(name.resource_type, name.property_name)
    longest = known.get("maxLength", len(name.value))
    # Java's \p{Print} stands in some patterns; `regex` knows it.
    pattern = known.get("pattern", "")
    own = PATTERNS.get((name.resource_type, name.property_name), "")
    return (
        known.get("minLength", 1) <= len(name.value) <= longest
        and (not pattern or bool(regex.search(pattern, name.value)))
        and (not own or bool(regex.fullmatch(own, name.value)))
    )


def test_every_kind_of_name_has_a_limit(all_stacks: list[Template]) -> None:
    """A name of unknown limits would be found wrong at deployment only."""
    unknown = {
        f"{n.resource_type} {n.property_name}"
        for n in names(all_stacks)
        if (n.resource_type, n.property_name) not in PATTERNS
        and not limits(n.resource_type, n.property_name).keys() & {"pattern", "maxLength"}
    }
    # A domain, and checked as one by the settings.
    assert unknown - {"AWS::SES::EmailIdentity EmailIdentity"} == set()
