"""RxNorm identifiers (RXCUI) of common ingredients."""

from functools import cache
from typing import Any

from simulators.comprehend_medical.data_files import rows


@cache
def _identifiers() -> dict[str, str]:
    return {row["substance"]: row["rxcui"] for row in rows("rxnorm.csv")}


def concepts(substance: str) -> list[dict[str, Any]]:
    """Returns the ingredients of a substance as InferRxNorm writes them, () if the table lacks it."""
    found: list[dict[str, Any]] = []
    for part in substance.lower().replace(" and ", "/").replace(",", "/").split("/"):
        name = part.strip()
        identifier = _identifiers().get(name) or _identifiers().get(name.split(" ")[0])
        if identifier:
            found.append(
                {"Description": name, "Code": identifier, "Score": round(0.9 / (len(found) + 1), 4)}
            )
    return found[:5]
