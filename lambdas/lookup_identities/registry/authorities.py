"""The assigning authorities under which the registry files identifiers of patients.

The import writes one item for each (`items.authority_key`), all in one partition. They tell a patient
who is not registered from a feed whose authority is not mapped.
"""

from collections.abc import Sequence

from lambdas.common.aws.item_reads import query
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError
from lambdas.registry.keys import AUTHORITIES


def check_mapped(context: LookupContext, usable: Sequence[UsableIdentifier]) -> None:
    """Raises `DomainUnknownError` when the registry files nothing under any authority of the identifiers.

    Call it when no patient was found. The authorities are read again when one is missing among those that
    this sandbox has seen. A registry that an earlier version imported lists none and passes.
    """
    asked = {authority for one in usable for authority in one.authorities}
    if asked & context.seen_authorities:
        return
    filed = _filed(context)
    context.seen_authorities.update(filed)
    if filed and not asked & filed:
        raise DomainUnknownError(", ".join(one.position for one in usable))


def _filed(context: LookupContext) -> set[str]:
    """All authorities of the registry. A region of 500 hospitals has some 60 kB of them."""
    table, condition = context.settings.registry_table, "pk = :authorities"
    return {item["sk"] for item in query(context, table, condition, {":authorities": AUTHORITIES})}
