"""The two queries against the examples of IHE's own tables."""

import pytest

from hl7 import er7
from lambdas.lookup_identities.pix_pdq.queries import (
    AssigningAuthority,
    Heading,
    Parties,
    pdq_query,
    pix_query,
)

REGION = AssigningAuthority("REGION", "2.16.840.1.113883.3.9999.10")
NORTHGEN = AssigningAuthority("NORTHGEN", "2.16.840.1.113883.3.9999.11")
PARTIES = Parties("NOTIFY", "REGION_HUB", "PIXMGR", "MPI")


def heading(control_id: str, tag: str) -> Heading:
    return Heading(PARTIES, control_id, tag)


def lines(query: bytes) -> list[str]:
    return query.decode().split("\r")


def test_a_pix_query_is_what_iti_9_writes() -> None:
    header, qpd, rcp, end = lines(
        pix_query(heading("NTF-0001", "QT-7c1e"), "H00412", NORTHGEN, REGION)
    )
    assert header.startswith("MSH|^~\\&|NOTIFY|REGION_HUB|PIXMGR|MPI|")
    assert "||QBP^Q23^QBP_Q21|NTF-0001|P|2.5|" in header
    assert qpd == (
        "QPD|IHE PIX Query|QT-7c1e|H00412^^^NORTHGEN&2.16.840.1.113883.3.9999.11&ISO"
        "|^^^REGION&2.16.840.1.113883.3.9999.10&ISO"
    )
    assert (rcp, end) == ("RCP|I", "")
    (msh, *_) = er7.read(
        pix_query(heading("NTF-0001", "QT-7c1e"), "H00412", NORTHGEN, REGION)
    ).segments
    assert (msh.part(18), msh.field(21)) == ("UNICODE UTF-8", "ITI-9^IHE")


def test_a_pdq_query_names_id_and_authority_together_and_leaves_the_algorithm_empty() -> None:
    _, qpd, rcp, _ = lines(pdq_query(heading("NTF-0002", "QT-7c1f"), "R-5501873", REGION))
    assert qpd == (
        "QPD|IHE PDQ Query|QT-7c1f|@PID.3.1^R-5501873~@PID.3.4.1^REGION"
        "~@PID.3.4.2^2.16.840.1.113883.3.9999.10~@PID.3.4.3^ISO"
        "|||||^^^REGION&2.16.840.1.113883.3.9999.10&ISO"
    )
    assert rcp == "RCP|I|10^RD"


def test_the_next_page_is_the_same_query_with_the_pointer() -> None:
    *_, dsc, end = lines(pdq_query(heading("NTF-0003", "QT-7c1f"), "R-1", REGION, "CP-000045"))
    assert (dsc, end) == ("DSC|CP-000045|I", "")


def test_delimiters_in_an_identifier_are_escaped_and_it_ends_no_segment() -> None:
    query = pix_query(heading("1", "2"), "A|B^C&D~E\\F\rPID|evil", NORTHGEN, REGION)
    assert [line[:3] for line in lines(query)] == ["MSH", "QPD", "RCP", ""]
    assert er7.read(query).segments[1].part(3) == "A|B^C&D~E\\FPID|evil"


@pytest.mark.parametrize(
    ("authorities", "text"),
    [
        (("NORTHGEN", "2.16.840.1.113883.3.9999.11"), NORTHGEN.text()),
        (("NORTHGEN",), "NORTHGEN"),
        (("2.16.840.1.113883.3.9999.11",), "&2.16.840.1.113883.3.9999.11&ISO"),
    ],
)
def test_an_authority_is_asked_for_as_far_as_it_is_known(
    authorities: tuple[str, ...], text: str
) -> None:
    assert AssigningAuthority.of(authorities).text() == text


def test_an_authority_of_an_answer_is_ours_by_oid_where_both_have_one() -> None:
    assert REGION.is_same(AssigningAuthority("REGION", REGION.universal_id))
    assert REGION.is_same(AssigningAuthority("", REGION.universal_id))
    assert REGION.is_same(AssigningAuthority("REGION", ""))
    assert not REGION.is_same(AssigningAuthority("REGION", NORTHGEN.universal_id))
    assert not REGION.is_same(AssigningAuthority("", ""))
