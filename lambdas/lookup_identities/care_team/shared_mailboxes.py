"""One mail for several recipients who share a mail address, such as the doctors of one practice. Pure."""

from dataclasses import replace

from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import Recipient


def one_mail_each(identities: Identities) -> Identities:
    """The identities with one recipient for each mailbox; the others are in its `also`.

    The first in the order of the recipients gets the delivery. Recipients share a mail only where it
    would be the same mail: address, language, detail, certificate, every other preference, fallback,
    notice and the policy's decision agree. Their names and reasons may differ.
    """
    mails: dict[Recipient, Recipient] = {}
    carriers: dict[str, str] = {}
    for recipient in identities.recipients:
        mailbox = _mailbox(recipient)
        first = mails.get(mailbox)
        if first is None:
            mails[mailbox] = recipient
        else:
            mails[mailbox] = replace(first, also=(*first.also, *recipient.addressees))
            carriers[recipient.recipient_ref] = first.recipient_ref
    # A fallback who shares a mail is replaced by the recipient who has its delivery.
    recipients = (
        replace(one, fallback_ref=carriers.get(one.fallback_ref, one.fallback_ref))
        for one in mails.values()
    )
    return replace(identities, recipients=tuple(recipients))


def _mailbox(recipient: Recipient) -> Recipient:
    """The recipient without reference, name and reasons: equal for recipients who share one mail."""
    return replace(
        recipient,
        recipient_ref="",
        reasons=(),
        provider_id="",
        name=Name(),
        address=recipient.address.casefold(),
        facility=False,
        stands_for=(),
    )
