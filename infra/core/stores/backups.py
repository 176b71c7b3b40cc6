"""Daily backups of the tables and the vault into a backup vault, and copies of them elsewhere."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from environments import Backup, Environment
from infra.accepted_findings import accept
from infra.stateful import fix_logical_id, removal_policy

POLICIES = (
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
)
"""AWS's own policies for its backup role (AWS Backup developer guide, "Managed policies")."""


class Backups(Construct):
    """A backup vault under its own key, one daily rule, and a role that backs up and restores.

    Point-in-time recovery covers the last 35 days of a table that still exists; these backups also
    survive the table, and can lie in another region or account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        plan: Backup,
        key: kms.IKey,
        tables: Sequence[dynamodb.ITable],
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self.vault_name = environment.prefix
        self.names_of_copies = _names_of_copies(self.vault_name, plan.copy_to)
        vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=self.vault_name,
            encryption_key=key,
            removal_policy=removal_policy(environment),
        )
        fix_logical_id(vault, "BackupVault")
        keep = cdk.Duration.days(plan.days)
        daily = backup.BackupPlan(
            self,
            "Plan",
            backup_plan_name=f"{environment.prefix}-daily",
            backup_plan_rules=[
                backup.BackupPlanRule(
                    rule_name="daily",
                    backup_vault=vault,
                    schedule_expression=events.Schedule.cron(hour="6", minute="0"),
                    start_window=cdk.Duration.hours(1),
                    completion_window=cdk.Duration.hours(12),
                    delete_after=keep,
                    copy_actions=[
                        backup.BackupPlanCopyActionProps(
                            destination_backup_vault=backup.BackupVault.from_backup_vault_arn(
                                self, f"Copy{number}", arn
                            ),
                            delete_after=keep,
                        )
                        for number, arn in enumerate(plan.copy_to)
                    ],
                )
            ],
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
            description=f"{environment.prefix}: backs up and restores tables and vault",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(n) for n in POLICIES],
        )
        daily.add_selection(
            "Data",
            backup_selection_name="data",
            role=self.role,
            disable_default_backup_policy=True,
            resources=[
                *(backup.BackupResource.from_dynamo_db_table(table) for table in tables),
                backup.BackupResource.from_arn(bucket.bucket_arn),
            ],
        )
        own = "AWS maintains these policies with its backup service; a copy of ours would fall behind."
        accept(
            self.role,
            {
                f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{n}]": own
                for n in POLICIES
            },
        )


def _names_of_copies(own: str, copy_to: Sequence[str]) -> tuple[str, ...]:
    """The names of the vaults between which backups are copied, the own one first; none without copies."""
    others = [arn.rpartition(":")[2] for arn in copy_to]
    return tuple(dict.fromkeys([own, *others])) if others else ()
