"""The settings of environments and senders: a TOML file for each environment and each hospital system.

A deployer edits these files and nothing else: docs/configuration.md.
"""

from environments.environment import Environment
from environments.errors import EnvironmentFileError
from environments.loader import load, load_sender, names
from environments.policy import PolicyFile, PolicyRule, RuleConditions
from environments.retention import Retention
from environments.sections import (
    AuditSection,
    Backup,
    CustomerGateway,
    MailSection,
    MpiSection,
    Network,
    PeopleSection,
    ReceiverSection,
)
from environments.sender import Sender, SenderCertificate

__all__ = [
    "AuditSection",
    "Backup",
    "CustomerGateway",
    "Environment",
    "EnvironmentFileError",
    "MailSection",
    "MpiSection",
    "Network",
    "PeopleSection",
    "PolicyFile",
    "PolicyRule",
    "ReceiverSection",
    "Retention",
    "RuleConditions",
    "Sender",
    "SenderCertificate",
    "load",
    "load_sender",
    "names",
]
