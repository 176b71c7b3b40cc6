"""The core stack: vault, queues, tables, keys, functions, workflow, pipe, mail, alarms."""

import json
from dataclasses import asdict
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from environments import Environment
from infra.core.people.data_trail import DataTrail
from infra.core.people.grants import Opened
from infra.core.people.roles import AccessRoles
from infra.core.processing.functions import Steps
from infra.core.processing.mail import SesSending
from infra.core.processing.pipe import EventPipe
from infra.core.processing.schedules import call_regularly
from infra.core.processing.workflow import PatientEventWorkflow, workflow_grants
from infra.core.receiver_role import ReceiverRole
from infra.core.stores.backups import Backups
from infra.core.stores.stores import Stores
from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.backup_alarms import watch_backups
from infra.monitoring.core_alarms import CoreAlarms
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.delivery_alarms import DeliveryAlarms
from infra.monitoring.feeds import SenderRules
from infra.monitoring.queries import save_queries
from infra.monitoring.watched import Watched


def stored_days(environment: Environment) -> str:
    """Returns the days of the tables as JSON, which `ens` reads (`StoredDays`)."""
    days = asdict(environment.retention)
    return json.dumps(
        {name: days[f"{name}_days"] for name in ("audit", "encounters", "ledger", "status")}
    )


class CoreStack(cdk.Stack):
    """All resources between the receiver and SES.

    Without `vpc` and `security_group` the functions run in Lambda's own network.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self.stores = Stores.of(self, environment)
        self.receiver_role = ReceiverRole(
            self, "ReceiverRole", stores=self.stores, tls_secret=environment.receiver.tls_secret
        )
        self.delivery = SesSending(self, "Delivery", environment=environment)
        self.steps = Steps(
            self,
            environment=environment,
            stores=self.stores,
            delivery=self.delivery,
            vpc=vpc,
            security_group=security_group,
        )
        self.delivery.report_to(
            self.steps.record_feedback, self.stores.queues.feedback_dead_letters
        )
        call_regularly(self, self.steps, environment)
        self.workflow = PatientEventWorkflow(
            self,
            "Workflow",
            environment=environment,
            substitutions={
                **{f"{f.node.id}Arn": f.function_arn for f in self.steps.of_workflow},
                "AuditTable": self.stores.tables.audit.table_name,
                "StatusTable": self.stores.tables.status.table_name,
                "QueueUrl": self.stores.queues.events.queue_url,
                "DeadLetterQueueUrl": self.stores.queues.dead_letters.queue_url,
                "UnknownPatient": environment.unknown_patient,
                "HoldMinutes": str(environment.hold_minutes),
                "MpiClient": environment.mpi_client,
            },
            grants=workflow_grants(self.steps.of_workflow, self.stores),
            logs_key=self.stores.keys.logs,
        )
        self.pipe = EventPipe(
            self,
            "Pipe",
            environment=environment,
            queue=self.stores.queues.events,
            queue_key=self.stores.keys.queues,
            state_machine=self.workflow.state_machine,
            logs_key=self.stores.keys.logs,
        )
        self.backups = (
            Backups(
                self,
                "Backups",
                environment=environment,
                plan=environment.backup,
                key=self.stores.keys.backups,
                # All but the MPI cache, whose items expire after minutes.
                tables=[
                    self.stores.tables.audit,
                    self.stores.tables.status,
                    self.stores.tables.ledger,
                    self.stores.tables.registry,
                    self.stores.tables.encounters,
                ],
                bucket=self.stores.vault.bucket,
            )
            if environment.backup
            else None
        )
        self.people = AccessRoles(
            self,
            "People",
            environment=environment,
            opened=Opened(
                stores=self.stores,
                state_machine_arn=self.workflow.state_machine.state_machine_arn,
                pipe_arn=self.pipe.pipe.attr_arn,
            ),
        )
        self.stores.digests.accept_patterns(self.people.auditor)
        self.alarms = Alarms(self, "Alarms", environment=environment, key=self.stores.keys.alarms)
        if environment.data_trail:
            self.data_trail = DataTrail(
                self,
                "DataTrail",
                environment=environment,
                stores=self.stores,
                people=self.people,
                programs=[
                    *(step.own_role for step in self.steps.all),
                    *([self.backups.role] if self.backups else []),
                ],
                alarms=self.alarms,
            )
        watched = Watched(
            environment=environment,
            queues=self.stores.queues,
            pipe=self.pipe,
            workflow=self.workflow,
            steps=self.steps,
        )
        CoreAlarms(self, "CoreAlarms", watched=watched, alarms=self.alarms)
        if self.backups:
            watch_backups(self.backups, self.alarms)
        audit = Construct(self, "AuditAlarms")
        self.alarms.watch_counts(audit, "audit-broken", "audit-unverified")
        DeliveryAlarms(self, "DeliveryAlarms", watched=watched, alarms=self.alarms)
        feeds = Construct(self, "FeedAlarms")
        self.alarms.watch_counts(
            feeds, "authority-not-usable", "warnings-rising", "unknown-patients-rising"
        )
        rules = SenderRules(self, "SenderRules", watched=watched)
        Dashboard(self, "Dashboard", watched=watched, alarms=self.alarms, rules=rules)
        queries = Construct(self, "Queries")
        save_queries(queries, environment, "steps", [step.log_group for step in self.steps.all])
        save_queries(queries, environment, "workflow", [self.workflow.log_group])
        self._tell(environment)

    def calls_from_vpc(self) -> frozenset[str]:
        """Returns the IAM actions of the calls that the receiver and the functions in the VPC make."""
        return self.receiver_role.calls_from_vpc.union(
            *(step.calls_from_vpc for step in self.steps.all)
        )

    def _tell(self, environment: Environment) -> None:
        """Adds the outputs that `ens` and the local system read."""
        for name, value in {
            "VaultBucket": self.stores.vault.bucket.bucket_name,
            "QueueUrl": self.stores.queues.events.queue_url,
            "DeadLetterQueueUrl": self.stores.queues.dead_letters.queue_url,
            "StateMachineArn": self.workflow.state_machine.state_machine_arn,
            "AuditTable": self.stores.tables.audit.table_name,
            "StatusTable": self.stores.tables.status.table_name,
            "LedgerTable": self.stores.tables.ledger.table_name,
            "RegistryTable": self.stores.tables.registry.table_name,
            "EncountersTable": self.stores.tables.encounters.table_name,
            "ReferenceKeySecret": self.stores.secrets.reference_key.secret_arn,
            "AuditKeySecret": self.stores.secrets.audit_key.secret_arn,
            "AuditSealKeys": ",".join(key.key_arn for key in self.stores.keys.audit_seals),
            "AuditDigestBucket": self.stores.digests.bucket.bucket_name,
            "ConfigurationBucket": self.stores.configuration.bucket.bucket_name,
            "ConfigurationSet": environment.prefix,
            "StoredDays": stored_days(environment),
            "FromAddress": self.delivery.from_address,
        }.items():
            cdk.CfnOutput(self, name, value=value)
