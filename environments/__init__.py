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
    "ReceiverSection",
    "Sender",
    "SenderCertificate",
    "load",
    "load_sender",
    "names",
]
