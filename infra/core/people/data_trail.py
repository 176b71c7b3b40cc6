"""CloudTrail's record of every access to patient data, and the alarm when a person uses break-glass access.

CloudTrail user guide, "Logging data events" and "Amazon S3 bucket policy for CloudTrail".
"""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.buckets import accept_patterns, private_bucket, unlogged
from infra.core.people.roles import AccessRoles
from infra.core.stores.keys import trail_key
from infra.core.stores.stores import Stores
from infra.core.stores.vault import Vault
from infra.grants import allow, read_objects
from infra.log_groups import LogGroup
from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.metrics import metric
from infra.stateful import removal_policy_of_bucket_filled_at_creation

RECORDS = "AWSLogs/*"
CLOUDTRAIL = "cloudtrail.amazonaws.com"


class DataTrail(Construct):
    """A trail of management events and of data events of vault, registry, MPI cache and encounters.

    `programs` are the roles that read the vault without a person: those of the functions and of AWS Backup.
    EventBridge sees AssumeRole only where a trail records read-only management events, and S3 reads
    only where a trail records data events (EventBridge user guide, "Events via CloudTrail").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        stores: Stores,
        people: AccessRoles,
        programs: Sequence[iam.IRole],
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        vault, tables = stores.vault, stores.tables
        stack = cdk.Stack.of(self)
        name = f"{environment.prefix}-data"
        arn = f"arn:{stack.partition}:cloudtrail:{stack.region}:{stack.account}:trail/{name}"
        self.key = trail_key(self, "Key", environment=environment, trail_arn=arn)
        self.bucket = self._bucket(arn)
        trail = cloudtrail.CfnTrail(
            self,
            "Resource",
            trail_name=name,
            is_logging=True,
            enable_log_file_validation=True,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=self.key.key_arn,
            include_global_service_events=True,
            is_multi_region_trail=False,
            event_selectors=[
                cloudtrail.CfnTrail.EventSelectorProperty(
                    include_management_events=True,
                    read_write_type="All",
                    # One for each object and item that a function opens, and they say no more.
                    exclude_management_event_sources=["kms.amazonaws.com"],
                    data_resources=[
                        cloudtrail.CfnTrail.DataResourceProperty(
                            type="AWS::S3::Object", values=[f"{vault.bucket.bucket_arn}/"]
                        ),
                        cloudtrail.CfnTrail.DataResourceProperty(
                            type="AWS::DynamoDB::Table",
                            values=[
                                table.table_arn
                                for table in (tables.registry, tables.mpi_cache, tables.encounters)
                            ],
                        ),
                    ],
                )
            ],
        )
        # CloudTrail checks that it may write before it makes a trail.
        assert self.bucket.policy is not None
        trail.node.add_dependency(self.bucket.policy)
        accept(
            trail,
            {
                "HIPAA.Security-CloudTrailCloudWatchLogsEnabled": "Events that need a person come by"
                " EventBridge; the rest would cost more in CloudWatch Logs than in S3.",
                "CKV_AWS_67": "It records the data of this environment, which are in one region; an"
                " organisation's own trail covers the others.",
            },
        )
        self._let_read(people.auditor)
        self._alarm_on(people.break_glass, vault, programs, stores.keys.logs, alarms)

    def _bucket(self, trail_arn: str) -> s3.Bucket:
        """The bucket of the records, which CloudTrail may write for this trail alone."""
        bucket = private_bucket(
            self,
            "Bucket",
            logical_id="BucketTrail",
            key=self.key,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            # CloudTrail writes a test object when a trail is made.
            removal_policy=removal_policy_of_bucket_filled_at_creation(self._environment),
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(self._environment.retention.trail_days),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                )
            ],
        )
        account = cdk.Stack.of(self).account
        written = bucket.arn_for_objects(f"AWSLogs/{account}/*")
        for actions, resource, more in (
            ("s3:GetBucketAcl", bucket.bucket_arn, {}),
            ("s3:PutObject", written, {"s3:x-amz-acl": "bucket-owner-full-control"}),
        ):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(CLOUDTRAIL)],
                    actions=[actions],
                    resources=[resource],
                    conditions={"StringEquals": {"aws:SourceArn": trail_arn, **more}},
                )
            )
        accept(
            bucket,
            {
                **unlogged(
                    "Log file validation shows a changed or missing record; reads of it are"
                    " management's."
                ),
                "HIPAA.Security-S3BucketReplicationEnabled": "Where a copy may lie is the operator's"
                " to decide; log file validation shows what is missing.",
            },
        )
        return bucket

    def _let_read(self, auditor: iam.Role) -> None:
        """Lets the auditor read the records."""
        auditor.add_to_policy(allow(("s3:ListBucket",), [self.bucket.bucket_arn]))
        for statement in read_objects(self.bucket, RECORDS):
            auditor.add_to_policy(statement)
        accept_patterns(
            self.bucket,
            auditor,
            "CloudTrail names its files by account, region, day and time.",
            RECORDS,
        )

    def _alarm_on(
        self,
        reader: iam.Role,
        vault: Vault,
        programs: Sequence[iam.IRole],
        logs_key: kms.IKey,
        alarms: Alarms,
    ) -> None:
        """Logs and alarms on break-glass access, and on any other person's reading of the vault.

        Break-glass access is each assumption of the role and each call made with it. An administrator may
        read the vault without that role, so each read by a principal outside `programs` counts too. A copy
        is found by its source, because the event's bucket is the target. The caller wrote the source: the
        slash after the bucket may be `%2F` (S3 API, "CopyObject": the value must be URL-encoded). The vault
        denies access points, whose names would stand there (infra/core/stores/vault.py). A filter on an
        absent value matches only with `exists` (EventBridge user guide, "Comparison operators"). AssumeRole
        is a read-only management event: a rule sees it only in this state (EventBridge user guide,
        "Receiving read-only management events from AWS services").
        """
        name = f"{self._environment.prefix}-break-glass"
        bucket = vault.bucket.bucket_name
        group = LogGroup(
            self,
            "BreakGlassLog",
            name=f"/aws/events/{name}",
            key=logs_key,
            environment=self._environment,
        )
        rule = events.CfnRule(
            self,
            "BreakGlassRule",
            name=name,
            description="The break-glass role is used, or a person reads the vault",
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            event_pattern={
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {
                    "$or": [
                        {
                            "eventSource": ["sts.amazonaws.com"],
                            "requestParameters": {"roleArn": [reader.role_arn]},
                        },
                        {
                            "userIdentity": {
                                "sessionContext": {"sessionIssuer": {"arn": [reader.role_arn]}}
                            }
                        },
                        {
                            "eventSource": ["s3.amazonaws.com"],
                            "$or": [
                                {
                                    "eventName": ["GetObject", "SelectObjectContent"],
                                    "requestParameters": {"bucketName": [bucket]},
                                },
                                {
                                    "eventName": ["CopyObject", "UploadPartCopy"],
                                    "requestParameters": {
                                        "x-amz-copy-source": [
                                            {"prefix": bucket},
                                            {"prefix": f"/{bucket}"},
                                        ]
                                    },
                                },
                            ],
                            "userIdentity": {
                                "sessionContext": {
                                    "sessionIssuer": {
                                        "arn": [
                                            {"anything-but": [one.role_arn for one in programs]},
                                            {"exists": False},
                                        ]
                                    }
                                }
                            },
                        },
                    ]
                },
            },
            targets=[events.CfnRule.TargetProperty(arn=_bare(group), id="Log")],
        )
        logs.CfnResourcePolicy(
            self,
            "BreakGlassLogPolicy",
            policy_name=name,
            policy_document=_may_log(group.log_group_arn, rule.attr_arn),
        )
        alarms.watch(
            self,
            "break-glass",
            metric("AWS/Events", "TriggeredRules", {"RuleName": name}),
        )


def _bare(group: logs.LogGroup) -> str:
    """The log group's ARN as a rule's target takes it, without `:*` at its end."""
    stack = cdk.Stack.of(group)
    return f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{group.log_group_name}"


def _may_log(log_group_arn: str, rule_arn: str) -> str:
    """The policy by which EventBridge may write what this rule matched into a log group.

    Only the call that writes names the rule. A condition on the call that makes the log stream keeps every
    event out (hashicorp/terraform-provider-aws issue 26628; AWS's own example has no condition:
    EventBridge user guide, "CloudWatch Logs permissions").
    """
    may = {
        "Effect": "Allow",
        "Principal": {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]},
        "Resource": log_group_arn,
    }
    rule = {"ArnEquals": {"aws:SourceArn": rule_arn}}
    statements = [
        {**may, "Action": "logs:CreateLogStream"},
        {**may, "Action": "logs:PutLogEvents", "Condition": rule},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
