"""Fixed logical ids and removal policies for resources that hold state or a name that others know."""

from typing import cast

import aws_cdk as cdk
from constructs import IConstruct

from environments import Environment


def fix_logical_id(construct: IConstruct, logical_id: str) -> None:
    """Gives a construct's resource this logical id instead of one derived from its construct path.

    CloudFormation replaces a resource whose logical id changes: a renamed construct would mean an
    empty table. `tests/infra/stateful.json` lists the ids (CloudFormation user guide, "Resources").
    """
    resource = construct if isinstance(construct, cdk.CfnResource) else construct.node.default_child
    cast(cdk.CfnResource, resource).override_logical_id(logical_id)


def removal_policy(environment: Environment) -> cdk.RemovalPolicy:
    """Returns the removal policy of a resource that holds data.

    Where the environment retains data: `RetainExceptOnCreate`, so that the rollback of a first
    deployment removes empty resources (CloudFormation user guide, "DeletionPolicy attribute").
    """
    return (
        cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        if environment.retain
        else cdk.RemovalPolicy.DESTROY
    )


def removal_policy_of_bucket_filled_at_creation(environment: Environment) -> cdk.RemovalPolicy:
    """Returns the removal policy of a bucket that has objects before its stack is complete.

    S3 deletes no bucket with objects: with `RetainExceptOnCreate` the rollback of a first deployment
    would end as `ROLLBACK_FAILED` (docs/adr/0121). So the bucket stays, under a name of CloudFormation's
    that blocks no later deployment.
    """
    return cdk.RemovalPolicy.RETAIN if environment.retain else cdk.RemovalPolicy.DESTROY


def keep_when_replaced(construct: IConstruct, environment: Environment) -> None:
    """Keeps the old resource when an update replaces it, and deletes it with its stack.

    For named queues: a retained queue would hold its name, and the next deployment would fail.
    """
    resource = cast(cdk.CfnResource, construct.node.default_child)
    resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    if environment.retain:
        resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
