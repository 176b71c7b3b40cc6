"""The groups of a message about several merges or moves (HL7 2.5.1 structures ADT_A39, ADT_A43, ADT_A45)."""

import pytest

from hl7 import er7
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.segments.groups import MAX_GROUPS, further_groups

HEADER = ["MSH|^~\\&|ADTSYS|NORTHGEN|||20261123101500||ADT^A40|1|P|2.5.1", "EVN|A40|20261123101500"]


def groups(*segments: str) -> list[list[str]]:
    """The segments of each further group, without MSH."""
    message = er7.read("\r".join([*HEADER, *segments]).encode())
    return [[one.raw for one in group.segments[1:]] for group in further_groups(message)]


def test_a_message_about_one_merge_has_no_further_group() -> None:
    assert groups("PID|||H1", "PD1", "MRG|H2", "PV1||I") == []


def test_each_further_pid_with_an_mrg_is_a_group() -> None:
    found = groups(
        "PID|||H1", "MRG|H2", "PV1||I", "PID|||H3", "PD1", "MRG|H4", "PID|||H5", "MRG|H6"
    )
    assert found == [["PID|||H3", "PD1", "MRG|H4"], ["PID|||H5", "MRG|H6"]]


def test_each_further_mrg_is_a_group_of_the_same_patient() -> None:
    found = groups("PID|||H1", "MRG|||||V1", "PV1||I", "MRG|||||V2", "PV1||E")
    assert found == [["PID|||H1", "MRG|||||V2", "PV1||E"]]


def test_the_second_patient_of_a_swap_or_link_is_no_group() -> None:
    assert groups("PID|||H1", "PV1||I", "PID|||H2", "PV1||I") == []


def test_more_groups_than_are_looked_up_are_refused() -> None:
    each = ["PID|||H1", "MRG|H2"]
    assert len(groups(*each * MAX_GROUPS)) == MAX_GROUPS - 1
    with pytest.raises(UnprocessableMessageError, match="groups"):
        groups(*each * (MAX_GROUPS + 1))
