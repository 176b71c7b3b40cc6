"""Follows the merges of patients. Pure."""

from collections.abc import Mapping


def merge_chain(patient_id: str, merged: Mapping[str, str]) -> list[str]:
    """The patient and those into whom they were merged, the last one last. A circle is cut."""
    chain = [patient_id]
    while (following := merged.get(chain[-1])) and following not in chain:
        chain.append(following)
    return chain


def survivor(patient_id: str, merged: Mapping[str, str]) -> str:
    """Into whom a patient was merged at last, themselves when into nobody; "" when merges go in a circle."""
    last = merge_chain(patient_id, merged)[-1]
    return "" if merged.get(last) else last
