"""The context of DeliverNotification."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdas.delivery.settings import DeliverySettings
from lambdas.policy.context import PolicyContext
from lambdas.registry.context import RegistryContext

if TYPE_CHECKING:
    from lambdas.delivery.mail.smime import Keyring


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
