"""The settings of environments and senders: a TOML file for each environment and each hospital system.

A deployer edits these files and nothing else: docs/configuration.md.
"""

from environments.errors import EnvironmentFileError
from environments.loader import load, load_sender, names
from environments.model import (
    AuditSection,
    Backup,
    CustomerGateway,
    Environment,
    MailSection,
    MpiSection,
    Network,
    PeopleSection,
    ReceiverSection,
    Sender,
    SenderCertificate,
)
from environments.policy import PolicyFile, PolicyRule, RuleConditions
from environments.retention import Retention

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
