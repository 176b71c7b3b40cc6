"""Checks mail addresses, by one rule at the registry's import, at selection and at sending."""

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
# RFC 5890, 2.3.1: two hyphens in the third and fourth place are those of an A-label (xn--) alone.
_LABEL = r"(?!(?!xn)[^.]{2}--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    # The length comes first: the rest takes time by its square. RFC 2047, 5: an encoded word stands in no
    # address, and no mail can be made to one.
    rf"(?=.{{1,254}}\Z)(?!.*=\?.*\?[bq]\?)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}",
    re.IGNORECASE,
)
_NOT_MAIL = re.compile(r"(?:[0-9]|\.(?:arpa|invalid|local|localhost|onion|test))\Z", re.IGNORECASE)
"""Ends of a domain that no mail server has: a digit, or a top-level domain of RFC 6761 and its kind."""


def is_address(text: str) -> bool:
    """Whether a text is one address that SES takes: ASCII, without name, comment or quoting.

    At most 64 characters stand before the @, at most 254 in all (RFC 5321, 4.1.2 and 4.5.3.1; RFC 3696,
    erratum 1690). https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html
    """
    return bool(_ADDRESS.fullmatch(text)) and not _NOT_MAIL.search(text)
