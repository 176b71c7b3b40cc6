"""A stateful resource keeps its logical id, and outlives its stack where the environment says so.

CloudFormation replaces a resource whose logical id changes: a renamed construct would mean an empty
ledger, and everybody told twice.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from environments import load
from infra.app import without_protection
from ops.environment.preflight.checks.names import KINDS
from tests.infra.assemblies import Stacks, stacks_of
from tests.infra.cloudformation import physical_names
from tests.infra.conftest import CLOUD, EVERY
from tests.infra.template import Template

LISTED: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "stateful.json").read_text()
)
"""Logical id to type, by stack. Changing a line here means losing or moving that resource's data."""

# cfn-lint's list of types that hold state, and the ones that it does not know.
STATEFUL = {
    *load_resource(AdditionalSpecs, "StatefulResources.json")["ResourceTypes"],
    # DNS holds the identity's DKIM tokens, subscribers have confirmed the topic.
    *("AWS::SES::EmailIdentity", "AWS::SES::ConfigurationSet", "AWS::SNS::Topic"),
}
# They end with their stack everywhere: a retained name would stop the next deployment.
NAMED = {
    *("AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SES::ConfigurationSet"),
}
# Types that docs/deploy.md lets `cdk import` adopt.
IMPORTED = {
    *("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"),
    "AWS::Backup::BackupVault",
}
# They have objects before their stack is complete, and S3 deletes no bucket with objects.
FILLED_AT_CREATION = {"BucketConfiguration", "BucketTrail"}
# Backups and the trail of accesses are an environment's choice.
OPTIONAL = {"BackupVault", "BucketTrail", "KeyBackups", "KeyTrail", "LogGroupBreakGlass"}


def stateful(template: Template) -> dict[str, str]:
    return {
        logical_id: resource["Type"]
        for logical_id, resource in sorted(template.resources.items())
        if resource["Type"] in STATEFUL
    }


def test_stateful_resources_keep_their_logical_ids(
    synthesised: Callable[[str], Stacks],
) -> None:
    assert {name: stateful(t) for name, t in synthesised("prod").items()} == LISTED


@pytest.mark.parametrize("name", EVERY)
def test_a_logical_id_means_the_same_in_every_environment(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    for part, template in synthesised(name).items():
        found = stateful(template)
        assert found.items() <= LISTED[part].items()
        assert LISTED[part].keys() - found.keys() <= OPTIONAL


def test_data_of_prod_outlives_its_stack_and_not_a_failed_creation(prod: Stacks) -> None:
    """CloudFormation user guide, "DeletionPolicy attribute": RetainExceptOnCreate."""
    for template in prod.values():
        for logical_id, kind in stateful(template).items():
            resource = template.resources[logical_id]
            if kind not in NAMED:
                kept = "Retain" if logical_id in FILLED_AT_CREATION else "RetainExceptOnCreate"
                assert resource["DeletionPolicy"] == kept, logical_id
                assert resource["UpdateReplacePolicy"] == "Retain", logical_id
            else:
                assert resource.get("DeletionPolicy", "Delete") == "Delete", logical_id


def test_what_a_closed_prod_imports_names_no_resource_that_its_stack_has_deleted(
    prod: Stacks,
) -> None:
    """docs/deploy.md, "Deploy a closed prod again": the template of an import has these resources alone.

    CloudFormation refuses a template with a reference to a resource that it lacks ("Unresolved resource
    dependencies").
    """
    core = prod["core"]
    imported = {one for one, kind in stateful(core).items() if kind in IMPORTED}
    named = {
        (logical_id, name)
        for logical_id in imported
        for name in referred(core.resources[logical_id])
        if not name.startswith("AWS::")
    }
    assert imported >= {"TableLedger", "BucketVault", "KeyVault", "BackupVault"}
    assert {one for one in named if one[1] not in imported} == set()


def referred(value: Any) -> Iterator[str]:
    """The resources that a part of a template refers to."""
    match value:
        case {"Ref": str() as name} | {"Fn::GetAtt": [str() as name, *_]}:
            yield name
        case dict():
            yield from (name for part in value.values() for name in referred(part))
        case list():
            yield from (name for part in value for name in referred(part))


def test_preflight_finds_every_resource_that_a_closed_prod_leaves_under_a_name_of_ours(
    prod: Stacks,
) -> None:
    """CloudFormation creates no resource under a name that is taken."""
    kept = {
        resource["Type"]
        for template in prod.values()
        for logical_id, resource in template.resources.items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    named = {one.resource_type for template in prod.values() for one in physical_names(template)}
    assert kept & named >= {"AWS::Backup::BackupVault", "AWS::SES::EmailIdentity"}
    assert kept & named <= set(KINDS)


def test_messages_in_a_queue_of_prod_outlive_its_replacement(prod: Stacks) -> None:
    for queue in prod["core"].of_type("AWS::SQS::Queue").values():
        assert queue["UpdateReplacePolicy"] == "Retain"


def test_dev_leaves_nothing_behind(synthesised: Callable[[str], Stacks]) -> None:
    for template in synthesised("dev").values():
        for logical_id, resource in template.resources.items():
            assert resource.get("DeletionPolicy", "Delete") == "Delete", logical_id


@pytest.mark.parametrize("name", EVERY)
def test_a_stack_is_protected_where_its_environment_is(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    protected = load(name).deletion_protection
    for template in synthesised(name).values():
        assert template.termination_protection is protected


@pytest.mark.parametrize("name", CLOUD)
def test_a_first_deployment_makes_nothing_that_refuses_its_own_deletion(
    name: str,
) -> None:
    """The rollback of a failed creation deletes everything; a protected resource would stop it."""
    for template in stacks_of(without_protection(load(name))).values():
        assert refusing(template) == []
        assert template.termination_protection is False


def test_after_the_first_deployment_prod_is_protected(prod: Stacks) -> None:
    guarded = {resource for template in prod.values() for resource in refusing(template)}
    assert guarded >= {"TableAudit", "TableLedger", "TableRegistry", "TableStatus"}
    assert any(resource.startswith("LoadBalancer") for resource in guarded)


def refusing(template: Template) -> list[str]:
    """The resources whose own properties forbid their deletion."""
    found = []
    for logical_id, resource in template.resources.items():
        properties = resource.get("Properties", {})
        attributes = properties.get("LoadBalancerAttributes", [])
        if (
            properties.get("DeletionProtectionEnabled") is True
            or properties.get("DeletionProtection") in (True, "ACTIVE")
            or {"Key": "deletion_protection.enabled", "Value": "true"} in attributes
            or "LockConfiguration" in properties
        ):
            found.append(logical_id)
    return found
