"""The stores of an environment, each under the key of its kind of data."""

from dataclasses import dataclass
from typing import Self

from constructs import Construct

from environments import Environment
from infra.core.stores.audit_digests import AuditDigests
from infra.core.stores.configuration import ConfigurationDocument
from infra.core.stores.keys import Keys
from infra.core.stores.queues import Queues
from infra.core.stores.secrets import Secrets
from infra.core.stores.tables import Tables
from infra.core.stores.vault import Vault


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything of the core stack that holds data, and the keys."""

    keys: Keys
    vault: Vault
    configuration: ConfigurationDocument
    queues: Queues
    tables: Tables
    digests: AuditDigests
    secrets: Secrets

    @classmethod
    def of(cls, scope: Construct, environment: Environment) -> Self:
        """Adds the stores to a stack."""
        keys = Keys(scope, "Keys", environment=environment)
        return cls(
            keys,
            Vault(scope, "Vault", environment=environment, key=keys.vault),
            ConfigurationDocument(
                scope, "Configuration", environment=environment, logs_key=keys.logs
            ),
            Queues(scope, "Queues", environment=environment, key=keys.queues),
            Tables(scope, "Tables", environment=environment, keys=keys),
            AuditDigests(scope, "AuditDigests", environment=environment, key=keys.records),
            Secrets(scope, "Secrets", environment=environment, key=keys.records),
        )
