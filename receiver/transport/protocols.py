"""Names the protocol of a connection whose first bytes are not MLLP, for log and metric."""

import re

_KNOWN = (
    ("tls", re.compile(rb"\x16\x03[\x00-\x04]")),
    ("ssh", re.compile(rb"SSH-")),
    ("proxy", re.compile(rb"\r\n\r\n\x00\r\nQUIT\n|PROXY ")),
    ("http", re.compile(rb"[A-Z]{3,12} [^ ]|PRI \* HTTP/2")),
)
OTHER = "other"


def protocol_of(data: bytes) -> str:
    """Returns `http`, `tls` (a ClientHello on a plain port), `proxy`, `ssh` or `other`.

    Sources: RFC 9112, 3 (request line); RFC 8446, 5.1 (record header); RFC 4253, 4.2; HAProxy,
    proxy-protocol.txt.
    """
    return next((name for name, pattern in _KNOWN if pattern.match(data)), OTHER)
