"""Finds the groups of a message about several merges or moves."""

from dataclasses import replace

from hl7.er7 import Message, Segment
from lambdas.common.errors import UnprocessableMessageError

MAX_GROUPS = 20
"""Most groups of one message. Each costs a look-up and a write."""


def further_groups(message: Message) -> list[Message]:
    """Each group after the first as a message of its own: MSH, PID, MRG and PV1.

    A group begins at a PID (HL7 2.5.1 structures ADT_A39 and ADT_A43), or at a further MRG of the same PID
    (ADT_A45). A PID without an MRG begins none: the second one of a swap, link or unlink. Raises
    `UnprocessableMessageError` for more than `MAX_GROUPS`.
    """
    groups: list[list[Segment]] = []
    for segment in message.every_segment:
        if segment.name == "PID":
            groups.append([segment])
        elif segment.name == "MRG" and groups and _has_prior(groups[-1]):
            groups.append([groups[-1][0], segment])
        elif groups:
            groups[-1].append(segment)
    further = [group for group in groups[1:] if _has_prior(group)]
    if len(further) >= MAX_GROUPS:
        raise UnprocessableMessageError(f"MRG: more than {MAX_GROUPS} groups in one message")
    msh = message.first("MSH")
    return [replace(message, segments=[msh, *group], beyond=[]) for group in further]


def _has_prior(group: list[Segment]) -> bool:
    return any(segment.name == "MRG" for segment in group)
