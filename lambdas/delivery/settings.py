"""Settings of DeliverNotification beyond the ledger's and the registry's."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.function.settings import choice, required, shared, text, whole
from lambdas.registry.settings import REGISTRY, RegistrySettings

FULL_IN_CLEAR = ("allowed", "forbidden")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings(RegistrySettings):
    """Settings of DeliverNotification.

    `ses_from` is the sender of every mail, `ses_rate` the most mails a second (0: the account's own
    rate). `full_in_clear` allows full detail without encryption. `smime_secret` names the secret with
    our S/MIME key; "" for none.
    """

    encounters_table: str
    ses_from: str
    ses_configuration_set: str
    ses_rate: int = 0
    full_in_clear: bool = True
    smime_secret: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong."""
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            encounters_table=required("ENS_ENCOUNTERS_TABLE"),
            registry_table=required("ENS_REGISTRY_TABLE"),
            provider_directory_name=text("ENS_PROVIDER_DIRECTORY", REGISTRY),
            ses_from=required("ENS_SES_FROM"),
            ses_configuration_set=required("ENS_SES_CONFIGURATION_SET"),
            ses_rate=whole("ENS_SES_RATE", 0),
            full_in_clear=choice("ENS_FULL_IN_CLEAR", FULL_IN_CLEAR, "allowed") == "allowed",
            smime_secret=text("ENS_SMIME_SECRET"),
        )
