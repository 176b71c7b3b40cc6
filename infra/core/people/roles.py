"""The roles for people: operator, auditor, registrar and break-glass access (docs/security.md)."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from environments import Environment
from infra.accepted_findings import INLINE, accept
from infra.core.people import grants
from infra.core.people.grants import Opened


class AccessRoles(Construct):
    """Four roles that people assume. Each may make exactly the AWS calls of its `ens` commands."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, opened: Opened
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = environment.prefix
        people = environment.people
        # Identity Center users assume these roles by role chaining, which limits a session to one
        # hour (IAM user guide, "Roles terms and concepts").
        self.operator = self._role(
            "operator", people.operators, 4, grants.operator(environment, opened)
        )
        self.auditor = self._role(
            "auditor", people.auditors, 4, grants.auditor(environment, opened)
        )
        self.registrar = self._role(
            "registrar", people.registrars, 2, grants.registrar(environment, opened)
        )
        self.break_glass = self._role(
            "break-glass", people.break_glass, 1, grants.break_glass(environment, opened)
        )
        opened.stores.vault.accept_patterns(self.break_glass, *grants.VAULT_PATTERNS)

    def _role(
        self,
        name: str,
        principals: Sequence[str],
        hours: int,
        statements: Sequence[iam.PolicyStatement],
    ) -> iam.Role:
        """Returns the role `<prefix>-<name>` with its statements, for sessions of at most `hours`."""
        role = iam.Role(
            self,
            "".join(word.capitalize() for word in name.split("-")),
            role_name=f"{self._prefix}-{name}",
            description=f"{self._prefix}: {name}, a role for people",
            assumed_by=_trusted(principals),
            max_session_duration=cdk.Duration.hours(hours),
        )
        for statement in statements:
            role.add_to_policy(statement)
        wildcards = grants.accepted(statements, cdk.Stack.of(self).account)
        accept(role, {"HIPAA.Security-IAMNoInlinePolicy": INLINE, **wildcards})
        return role


def _trusted(principals: Sequence[str]) -> iam.IPrincipal:
    """Returns the trusted principals: those of the account whose ARN matches, or any that signed in with MFA.

    A pattern stands in a condition, since a trust policy names no principal by a wildcard and is
    refused when one that it names does not exist. Identity Center's roles carry no MFA key: there,
    Identity Center demands MFA.
    """
    condition = (
        {"ArnLike": {"aws:PrincipalArn": list(principals)}}
        if principals
        else {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )
    return iam.PrincipalWithConditions(iam.AccountRootPrincipal(), condition)
