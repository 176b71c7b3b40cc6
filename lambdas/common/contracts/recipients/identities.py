"""The patient in the registry and the recipients, `identities.json` in the vault."""

from dataclasses import dataclass, replace

from hl7.warnings import MessageWarning
from lambdas.common.contracts.document import private
from lambdas.common.contracts.encounters.stay_flags import StayFlag
from lambdas.common.contracts.recipients.consent import Consent
from lambdas.common.contracts.recipients.recipient import Considered, Recipient


@dataclass(frozen=True, slots=True)
class Identities:
    """The patient in the registry and the recipients; `identities.json` in the vault.

    `matched_on` are the positions that agree with the registry. `merged_from` are the references of
    patients merged into this one, `merged_ids` their ids. `flags` are about the patient's earlier stays at
    all senders. `discharged_to` is the registry's name of the facility whose code is PV1-37, "" where it
    has none. `birth_date` (YYYY-MM-DD, "" where unknown) and `consents` are those by which the policy
    decided.
    """

    patient_ref: str
    matched_on: tuple[str, ...] = ()
    patient_id: str = private()
    recipients: tuple[Recipient, ...] = ()
    considered: tuple[Considered, ...] = ()
    warnings: tuple[MessageWarning, ...] = ()
    fallbacks: tuple[Recipient, ...] = ()
    merged_from: tuple[str, ...] = ()
    merged_ids: tuple[str, ...] = private(())
    flags: tuple[StayFlag, ...] = ()
    discharged_to: str = private()
    birth_date: str = private()
    consents: tuple[Consent, ...] = private(())

    def recipient(self, recipient_ref: str, *, second: bool = False) -> Recipient | None:
        """The recipient of this reference, for their first or second notice; None when there is none.

        One who shares another's mail is returned as a recipient with a mail of their own.
        """
        every = (*self.recipients, *self.fallbacks)
        for one in every:
            if (one.recipient_ref, one.second) == (recipient_ref, second):
                return one
        for one in every:
            for other in one.also:
                if (other.recipient_ref, one.second) == (recipient_ref, second):
                    return replace(one.mail_to(other), fallback_ref="")
        return None
