"""Makes the references of a FHIR answer relative where they lead to the server's own resources."""

import re
from typing import Any

Document = dict[str, Any]
"""A FHIR resource as JSON."""

_ABSOLUTE = re.compile(r"(https?://.+)/([A-Za-z]+/[A-Za-z0-9.-]{1,64}(?:/_history/.+)?)")

_SEARCHED = re.compile(r"/[A-Z][A-Za-z]+(?:/[_$][^/]+)?$")
"""The end of an address that was searched: the type, and `_search` or an operation."""


def with_relative_references(document: Document, base_url: str) -> Document:
    """The resource with absolute references to the server's own resources as relative ones (`Patient/x`).

    Its own are below `base_url`, or below the base of a Bundle's self link: a server behind a proxy may
    know itself by another name. A reference to another server stays absolute, because the same id is
    another resource there. Section 2.3.0.1 of https://hl7.org/fhir/R4/references.html
    """
    links = document.get("link")
    own = [base_url.rstrip("/")] + [
        _SEARCHED.sub("", str(link.get("url")).partition("?")[0].rstrip("/"))
        for link in (links if isinstance(links, list) else ())
        if isinstance(link, dict) and link.get("relation") == "self"
    ]
    return {name: _relative(value, name, own) for name, value in document.items()}


def _relative(value: Any, name: str, own: list[str]) -> Any:
    if isinstance(value, dict):
        return {member: _relative(one, member, own) for member, one in value.items()}
    if isinstance(value, list):
        return [_relative(one, "", own) for one in value]
    if name != "reference" or not isinstance(value, str):
        return value
    found = _ABSOLUTE.fullmatch(value)
    return found[2] if found and found[1] in own else value
