"""The headers by which mail programs show all mails about a stay as one conversation (RFC 5322 3.6.4).

SES replaces Message-ID and keeps References and In-Reply-To. So the mails refer to an id of ours that no
mail has, the same in all of a stay, and to those that SES gave.
https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
"""

from dataclasses import dataclass

MAX_REFERENCES = 10
"""The first mail and so many of the newest: a header that grows for ever is cut by some programs."""


@dataclass(frozen=True, slots=True)
class MailThread:
    """The stay's reference, and SES's ids of its earlier mails to this recipient, the oldest first."""

    stay_ref: str = ""
    mails: tuple[str, ...] = ()

    def headers(self, domain: str, region: str) -> bytes:
        """References and In-Reply-To as lines of a mail; empty without a stay. `domain` is the sender's.

        Each id has a line of its own, unencoded: the `email` package would make an encoded word of one
        that is longer than a line (RFC 2047 5 forbids it there).
        """
        if not self.stay_ref:
            return b""
        sent = [message_id(one, region) for one in self.mails]
        references = [f"<stay.{self.stay_ref}@{domain}>", *sent[:1], *sent[1:][-MAX_REFERENCES:]]
        lines = ["References: " + "\r\n ".join(references)]
        lines += [f"In-Reply-To: {sent[-1]}"] if sent else []
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def message_id(ses_message_id: str, region: str) -> str:
    """The Message-ID of a mail that SES sent: its id at `email.amazonses.com`, or at the region's name.

    us-east-1, the first region, has the former.
    """
    host = "email" if region == "us-east-1" else region
    return f"<{ses_message_id}@{host}.amazonses.com>"
