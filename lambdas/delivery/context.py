"""The settings and the context of DeliverNotification."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdas.common.function.settings import full_in_clear, required, setting, text, whole
from lambdas.policy.context import PolicyContext
from lambdas.registry.context import RegistryContext, RegistrySettings

if TYPE_CHECKING:
    from lambdas.delivery.mail.smime import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings(RegistrySettings):
    """Settings of DeliverNotification.

    `ses_from` is the sender of every mail, `ses_rate` the most mails a second (0: the account's own
    rate). `full_in_clear` allows full detail without encryption. `smime_secret` names the secret with
    our S/MIME key; "" for none.
    """

    encounters_table: str = setting(required, "ENS_ENCOUNTERS_TABLE")
    ses_from: str = setting(required, "ENS_SES_FROM")
    ses_configuration_set: str = setting(required, "ENS_SES_CONFIGURATION_SET")
    ses_rate: int = setting(whole, "ENS_SES_RATE", 0)
    full_in_clear: bool = setting(full_in_clear, default=True)
    smime_secret: str = setting(text, "ENS_SMIME_SECRET", "")


@dataclass(frozen=True)
class DeliveryContext(RegistryContext, PolicyContext):
    """The context of DeliverNotification."""

    settings: DeliverySettings

    @property
    def keyring(self) -> "Keyring | None":
        """The keys for S/MIME; None where no secret is set. Errors as `Keyring.from_secret` and `secret`."""
        if not self.settings.smime_secret:
            return None
        # Only here: loading OpenSSL would cost every cold start a tenth of a second.
        from lambdas.delivery.mail.smime import Keyring

        return self.from_secret(self.settings.smime_secret, Keyring.from_secret)
