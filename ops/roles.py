"""The role for people that each command of `ens` needs (docs/deploy.md, "People").

`tests/functional/ops/test_roles.py` runs every command with the policies of every role.
"""

from enum import StrEnum


class Role(StrEnum):
    """A role for people that the core stack makes (infra/core/people/roles.py)."""

    OPERATOR = "operator"
    AUDITOR = "auditor"
    REGISTRAR = "registrar"
    BREAK_GLASS = "break-glass"

    def name_in(self, environment: str) -> str:
        """The role's name in IAM: `hl7-ens-prod-operator`."""
        return f"hl7-ens-{environment}-{self}"


EVERYBODY = tuple(Role)
TRAIL = (Role.OPERATOR, Role.AUDITOR)
OPERATOR = (Role.OPERATOR,)
AUDITOR = (Role.AUDITOR,)
REGISTRAR = (Role.REGISTRAR,)
BREAK_GLASS = (Role.BREAK_GLASS,)
DEPLOYER: tuple[Role, ...] = ()
"""No role: the command reads what only the credentials of `make deploy` may read."""

COMMANDS: dict[str, tuple[Role, ...]] = {
    "audit looks": TRAIL,
    "audit patient": AUDITOR,
    "audit provider": AUDITOR,
    "audit verify": AUDITOR,
    "cost": TRAIL,
    "deliveries continue": OPERATOR,
    "deliveries discard": OPERATOR,
    "deliveries held": OPERATOR,
    "deliveries pause": OPERATOR,
    "deliveries problems": TRAIL,
    "deliveries reopen": OPERATOR,
    "deliveries resend": OPERATOR,
    "deliveries unknown": TRAIL,
    "dlq list": OPERATOR,
    "dlq redrive": OPERATOR,
    "dlq show": TRAIL,
    "encounters orphans": TRAIL,
    "encounters show": TRAIL,
    "events": TRAIL,
    "feed check": EVERYBODY,
    "notification preview": EVERYBODY,
    "phi mail": BREAK_GLASS,
    "phi message": BREAK_GLASS,
    "phi rejected": BREAK_GLASS,
    "preflight": DEPLOYER,
    "registry import": REGISTRAR,
    "rejected list": BREAK_GLASS,
    "rejected show": BREAK_GLASS,
    "replay": OPERATOR,
    "report cop": TRAIL,
    "retention check": AUDITOR,
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
