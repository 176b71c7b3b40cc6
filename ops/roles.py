"""The role for people that each command of `ens` needs (docs/deploy.md, "People").

`tests/functional/ops/test_roles.py` runs every command with the policies of every role.
"""

from enum import StrEnum


class Role(StrEnum):
    """A role for people that the core stack makes (infra/core/people/roles.py)."""

    OPERATOR = "operator"
    AUDITOR = "auditor"
    REGISTRAR = "registrar"
    VAULT_READER = "vault-reader"

    def name_in(self, environment: str) -> str:
        """The role's name in IAM: `hl7-ens-prod-operator`."""
        return f"hl7-ens-{environment}-{self}"


EVERYBODY = tuple(Role)
TRAIL = (Role.OPERATOR, Role.AUDITOR)
AUDITOR = (Role.AUDITOR,)
OPERATOR = (Role.OPERATOR,)
REGISTRAR = (Role.REGISTRAR,)
VAULT_READER = (Role.VAULT_READER,)
DEPLOYER: tuple[Role, ...] = ()
"""No role: the command reads what only the credentials of `make deploy` may read."""

COMMANDS: dict[str, tuple[Role, ...]] = {
    "audit verify": AUDITOR,
    "cost": TRAIL,
    "deliveries continue": OPERATOR,
    "deliveries held": OPERATOR,
    "deliveries pause": OPERATOR,
    "deliveries problems": OPERATOR,
    "deliveries resend": OPERATOR,
    "deliveries unknown": OPERATOR,
    "dlq list": OPERATOR,
    "dlq redrive": OPERATOR,
    "dlq show": TRAIL,
    "encounters orphans": TRAIL,
    "encounters show": TRAIL,
    "events": TRAIL,
    "feed check": EVERYBODY,
    "notification preview": EVERYBODY,
    "preflight": DEPLOYER,
    "registry import": REGISTRAR,
    "rejected list": VAULT_READER,
    "rejected show": VAULT_READER,
    "replay": OPERATOR,
    "roster end": REGISTRAR,
    "roster import": REGISTRAR,
    "roster list": REGISTRAR,
    "send": EVERYBODY,
    "senders check": EVERYBODY,
    "senders expiring": OPERATOR,
    "smoke": OPERATOR,
    "trace": TRAIL,
}
"""The roles whose policies allow a command, by its words."""


def advice(command: str, environment: str) -> str:
    """The role that a refused command needs, and the way to assume it; "" for a command that no role limits."""
    roles = COMMANDS.get(command)
    if roles is None or roles == EVERYBODY:
        return ""
    if not roles:
        return f"`ens {command}` needs the credentials that deploy the environment."
    names = " or ".join(role.name_in(environment) for role in roles)
    return (
        f"`ens {command}` needs the role {names}: set AWS_PROFILE to a profile of it."
        " If it is set, deploy this version of hl7-ens."
    )
