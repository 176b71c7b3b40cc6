"""The roles for people with the policies of an environment's templates, taken by a test on moto."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import BaseResponse

from local.patches.additions import authorisation
from local.patches.additions.authorisation import RequiredAction
from ops.roles import Role
from tests.infra.assemblies import Stacks
from tests.infra.judges import tools
from tests.infra.judges.evaluator import ALLOWED, AuthorizationRequest, decide
from tests.infra.resolved import ACCOUNT, REGION, Resolved
from tests.infra.template import read
from tests.support.seal_keys import SEAL_KEY

CONSTRUCTS = {
    Role.OPERATOR: "People/Operator",
    Role.AUDITOR: "People/Auditor",
    Role.REGISTRAR: "People/Registrar",
    Role.BREAK_GLASS: "People/BreakGlass",
}
TABLES = ("audit", "status", "ledger", "registry", "mpi-cache", "encounters")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@dataclass
class People:
    """The roles of one environment in moto; `allowed` collects what each was allowed to do.

    `key_policies` are those of the test's KMS keys, by ARN.
    """

    environment: str
    policies: dict[Role, list[dict[str, Any]]]
    key_policies: dict[str, dict[str, Any]]
    allowed: dict[Role, set[RequiredAction]]
    _sessions: dict[Role, Any] = field(default_factory=dict)

    @contextmanager
    def signed_in(self, role: Role, *, counted: bool = True) -> Iterator[None]:
        """Signs this process in with the role's credentials; its requests count as use of the grants."""
        if role not in self._sessions:
            self._sessions[role] = self._session(role)
        own, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, self._sessions[role]
        try:
            with (
                # The tests' `boto3.client` shares the clients of the first session.
                patch.object(boto3, "client", self._sessions[role].client),
                self._recorded(role) if counted else nullcontext(),
            ):
                yield
        finally:
            boto3.DEFAULT_SESSION = own

    def _session(self, role: Role) -> Any:
        """A session with credentials of the role, which makes a client once for the same arguments."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role.name_in(self.environment)}"
        keys = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="ana")["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
        )
        session.client = cache(session.client)
        return session

    def unused(self, role: Role) -> set[str]:
        """The granted actions, each with its resource's last part, that no counted request has used.

        Those on keys are left out: moto asks nobody for a key.
        """
        return {
            f"{action} {resource.rpartition(':')[2] or '*'}"
            for document in self.policies[role]
            for statement in read(document)
            for action in statement.actions
            for resource in statement.resources
            if not action.startswith("kms:")
            and not any(
                need.action == action and fnmatchcase(need.arn, resource)
                for need in self.allowed[role]
            )
        }

    def judged_otherwise_by_iam(self, role: Role) -> list[RequiredAction]:
        """The needs that were allowed here and that IAM's evaluation logic denies; none without it."""
        if not tools.has_evaluator():
            return []
        needs = sorted(self.allowed[role])
        answers = decide(
            [
                AuthorizationRequest(
                    action=need.action,
                    resource=need.arn,
                    identity=self.policies[role],
                    resource_policy=self.key_policies.get(need.arn),
                    principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name_in(self.environment)}/ana",
                    context={authorisation.LEADING_KEYS: sorted(need.leading_keys)}
                    if need.leading_keys
                    else {},
                )
                for need in needs
            ]
        )
        return [need for need, answer in zip(needs, answers, strict=True) if answer != ALLOWED]

    @contextmanager
    def _recorded(self, role: Role) -> Iterator[None]:
        """Collects the needs of the requests that are allowed."""
        judge = ActionAuthenticatorMixin._authenticate_and_authorize_action

        def judged(request: BaseResponse, iam_request: type, resource: str = "*") -> None:
            judge(request, iam_request, resource)
            if "X-Amz-Security-Token" in request.headers:
                self.allowed[role].update(authorisation._needs(request, resource, with_keys=True))

        with patch.object(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", judged):
            yield


def people_of(environment: str, stacks: Stacks) -> People:
    """Makes the environment's roles in moto, their policies about the test's stores."""
    resolved = Resolved(stacks)
    stores = _stores(resolved)

    def of_test(document: Any) -> Any:
        """The document about the test's stores."""
        text = json.dumps(document)
        for deployed, arn in stores.items():
            text = text.replace(deployed, arn)
        return json.loads(text)

    iam = boto3.client("iam")
    policies = {}
    for role, construct in CONSTRUCTS.items():
        name = role.name_in(environment)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        policies[role] = of_test(resolved.policies("core", construct))
        for number, document in enumerate(policies[role]):
            iam.put_role_policy(
                RoleName=name, PolicyName=str(number), PolicyDocument=json.dumps(document)
            )
    seal = resolved.arn("core", "Keys/AuditSeal")
    key_policies = {stores[seal]: of_test(resolved.key_policies("core")[seal])}
    return People(environment, policies, key_policies, {role: set() for role in Role})


def _stores(resolved: Resolved) -> dict[str, str]:
    """The ARNs of the template's stores, and those of the test's stores in their place."""
    secrets = {
        s["Name"]: s["ARN"] for s in boto3.client("secretsmanager").list_secrets()["SecretList"]
    }
    return {
        **{
            resolved.arn("core", f"Tables/{name.title().replace('-', '')}"): (
                f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
            )
            for name in TABLES
        },
        resolved.arn("core", "Vault/Bucket"): "arn:aws:s3:::vault",
        resolved.arn("core", "AuditDigests/Bucket"): "arn:aws:s3:::audit-digests",
        resolved.arn("core", "Keys/AuditSeal"): boto3.client("kms").describe_key(KeyId=SEAL_KEY)[
            "KeyMetadata"
        ]["Arn"],
        resolved.arn("core", "Secrets/AuditKey"): secrets["audit-key"],
        resolved.arn("core", "Secrets/ReferenceKey"): secrets["reference-key"],
    }
