"""What differs between environments: one TOML file each, and one for each hospital system that sends.

A deployer edits these files and nothing else: docs/configuration.md.
"""

from environments.errors import EnvironmentFileError
from environments.loader import load, names
from environments.model import (
    Backup,
    CustomerGateway,
    Environment,
    MailSection,
    MpiSection,
    Network,
    PeopleSection,
    ReceiverSection,
    Sender,
)

__all__ = [
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
    "load",
    "names",
]
