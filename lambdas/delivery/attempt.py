"""One run's try at a delivery, with the write to the ledger before and after each step."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from lambdas.common.clock import milliseconds_since, now
from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason
from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
)
from lambdas.common.function.handler import Run
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries, transitions
from lambdas.delivery.ledger.deliveries.starting_point import StartingPoint
from lambdas.delivery.ledger.items import TOGETHER, DeliveryItem
from lambdas.delivery.ledger.sending import rate
from lambdas.delivery.ledger.sending.mail_account import close_quota
from lambdas.delivery.mail import mailer
from lambdas.delivery.vault_documents import Prepared

LATEST_START_MS = 2_500
"""A send that starts later could outlive the function and leave an unknown: the next run is warm."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try at a delivery under an id of its own. Each method returns the ledger's item after it.

    Where another run settled the delivery before, it is that run's. `members` are those of a summary: their
    fallbacks are told where it is refused.
    """

    context: DeliveryContext
    run: Run
    delivery: DeliveryItem
    released: bool
    start: StartingPoint
    members: tuple[DeliveryItem, ...] = ()
    attempt_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def made(self, item: DeliveryItem) -> bool:
        """Whether this attempt made the newest change of the item's state."""
        return item.attempt_id == self.attempt_id

    def found(self) -> DeliveryItem | None:
        """The item as it was when this run began, or as `unknown` where another run did not finish its send.

        An unknown item is not decided again, because its mail may have gone. Raises
        `DependencyUnavailableError` while that run may still be at it.
        """
        item = self.start.item
        if item is None or item.state is not DeliveryState.SENDING:
            return item
        return transitions.park_ended(self.context, self.delivery, item)

    def refused(self, reason: str) -> DeliveryItem:
        """Refuses it for good, and has the fallback told."""
        return self._claimed(lambda item: self._refuse(item, reason))

    def held(self, reason: str, until: str) -> DeliveryItem:
        """Holds it until a moment (ISO 8601, UTC)."""
        return self._claimed(lambda item: self._hold(item, reason, until))

    def suppressed(self, because: str) -> DeliveryItem:
        """Gives it up, because its event was withdrawn before this recipient was told."""
        return self._claimed(lambda _: self._suppress(because))

    def sent(
        self, prepared: Prepared, address: str, withdrawn_by: Callable[[], str] = lambda: ""
    ) -> DeliveryItem:
        """Sends it, unless `withdrawn_by` names an event; the mail is stored before the claim."""
        mail, document = prepared.stored(
            self.context,
            self.run,
            self.delivery.event_id,
            self.delivery.delivery_id,
            address,
        )
        if milliseconds_since(self.run.started_at) > LATEST_START_MS:
            raise DependencyUnavailableError("too late in this run to begin a send")

        def send(item: DeliveryItem) -> DeliveryItem:
            account, most = self.start.account, self.context.settings.ses_rate
            if not rate.may_send(self.context, self.released, account, most):
                return self._hold(item, HoldReason.RATE, now())
            try:
                because = withdrawn_by()
            except DependencyUnavailableError:
                transitions.release(self.context, self.delivery, self.attempt_id)
                raise
            if because:
                return self._suppress(because)
            transitions.begin_sending(self.context, self.delivery, self.attempt_id, document)
            return self._handed_over(item, mail, address)

        return self._claimed(send)

    def _claimed(self, act: Callable[[DeliveryItem], DeliveryItem]) -> DeliveryItem:
        """The item after `act`, or as it is where this attempt could not claim it."""
        item = transitions.claim(self.context, self.delivery, self.attempt_id, self.released)
        return act(item) if item.state is DeliveryState.CLAIMED else item

    def _suppress(self, because: str) -> DeliveryItem:
        return transitions.suppress(self.context, self.delivery, self.attempt_id, because)

    def _hold(self, item: DeliveryItem, reason: str, until: str) -> DeliveryItem:
        """Holds it; a released one keeps its time, and with it its place before younger ones.

        Not where the recipient's own hours hold it anew, after its settling time.
        """
        kept = item.release_at if self.released and reason not in TOGETHER else ""
        return transitions.hold(self.context, self.delivery, self.attempt_id, reason, kept or until)

    def _refuse(self, item: DeliveryItem, reason: str) -> DeliveryItem:
        """Refuses it after the fallback was told, so that a crash between the two loses nobody."""
        for told in self.members or (item,):
            deliveries.tell_instead(self.context, told)
        return transitions.refuse(self.context, self.delivery, self.attempt_id, reason)

    def _handed_over(self, item: DeliveryItem, mail: bytes, address: str) -> DeliveryItem:
        """After SES answered, or did not; the delivery is in `sending`, this attempt's."""
        delivery, attempt_id = self.delivery, self.attempt_id
        try:
            message_id = mailer.send(
                self.context, mail, address, delivery.event_id, delivery.delivery_id
            )
        except mailer.AmbiguousSendError:
            return transitions.park(self.context, delivery, attempt_id)
        except mailer.QuotaReachedError:
            held = self._hold(item, HoldReason.QUOTA, now())
            close_quota(self.context)
            return held
        except DeliveryRefusedError as refusal:
            return self._refuse(item, str(refusal))
        except (DependencyUnavailableError, ConfigurationError, ClientError):
            transitions.release(self.context, delivery, attempt_id)
            raise
        return transitions.confirm(self.context, delivery, attempt_id, message_id)
