"""The keys of the items in the registry's table.

One table, `pk` and `sk`:

    identifier#<authority>#<value>           patient               patient_id, circle, merged_from
    patient#<patient_id>                     patient               family, given, birth_date, sex, circle
                                                                   former_families, merged_into
    patient#<patient_id>                     provider#<provider_id> relationship, active, ended, roster_until
    patient#<patient_id>                     consents              consent#<consent_id>: a map for each consent
    provider#<provider_id>                   provider              family, given, prefix, npi, email, active,
                                                                   kind and what they chose
    provider-identifier#<authority>#<value>  provider              provider_id
    authorities                              <authority>           authority (of patients' identifiers)

`patient_id` of an identifier and `relationship` are a text, or a list of texts where the registry knows
several. `circle` is the set of provider ids with a relationship, ended ones too: the patient's decides, an
identifier's is a hint (`registry/table.py`). A National Provider Identifier is filed as a provider
identifier of authority `NPI`.
"""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
Key = dict[str, str]
At = tuple[str, str]
"""A partition key and a sort key."""

CONSENT = "consent#"
"""The first part of the name of a consent's attribute; the consent's id follows."""

AUTHORITIES = "authorities"
"""The partition that lists the assigning authorities of patients' identifiers."""


def key(kind: str, *parts: str) -> str:
    """A partition key such as `identifier#NORTHGEN#H00412`.

    `#` and `%` inside a part are percent-encoded, so that no authority and value written together
    can be read as another pair.
    """
    quoted = (part.replace("%", "%25").replace("#", "%23") for part in parts)
    return "#".join((kind, *quoted))


def id_in(key: str) -> str:
    """The id in a key of one part, such as `provider#<provider_id>`."""
    return key.partition("#")[2].replace("%23", "#").replace("%25", "%")


def at(item: Mapping[str, Any]) -> At:
    """The partition key and the sort key of an item or key."""
    return item["pk"], item["sk"]


def identifier_key(authority: str, value: str) -> Key:
    """The key of an identifier's patient."""
    return {"pk": key("identifier", authority, value), "sk": "patient"}


def patient_key(patient_id: str) -> Key:
    """The key of a patient."""
    return {"pk": key("patient", patient_id), "sk": "patient"}


def relationship_key(patient_id: str, provider_id: str) -> Key:
    """The key of a relationship of patient and provider, in the patient's partition."""
    return {"pk": key("patient", patient_id), "sk": key("provider", provider_id)}


def consents_key(patient_id: str) -> Key:
    """The key of the item with all consents of a patient, in the patient's partition.

    One item, so that its key is known and one BatchGetItem reads patient, relationships and consents.
    """
    return {"pk": key("patient", patient_id), "sk": "consents"}


def provider_identifier_key(authority: str, value: str) -> Key:
    """The key of an identifier's provider."""
    return {"pk": key("provider-identifier", authority, value), "sk": "provider"}


def provider_key(provider_id: str) -> Key:
    """The key of a provider."""
    return {"pk": key("provider", provider_id), "sk": "provider"}
