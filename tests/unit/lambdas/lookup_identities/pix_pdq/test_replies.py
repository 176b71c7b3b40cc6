"""Each case of ITI-9 and ITI-21 told apart by MSA, QAK and the place in ERR."""

import pytest

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.pix_pdq.queries import AssigningAuthority
from lambdas.lookup_identities.pix_pdq.replies import (
    MismatchError,
    PixAnswer,
    pdq_answer,
    pix_answer,
)

REGION = AssigningAuthority("REGION", "2.16.840.1.113883.3.9999.10")
HD = "REGION&2.16.840.1.113883.3.9999.10&ISO"
CONTROL_ID, TAG = "NTF-0001", "QT-7c1e"
MSH = "MSH|^~\\&|PIXMGR|MPI|NOTIFY|REGION_HUB|20261123093000+0000||RSP^{}|MPI-88|P|2.5"
QPD = f"QPD|IHE PIX Query|{TAG}|H00412^^^NORTHGEN|^^^{HD}"


def reply(*lines: str, event: str = "K23^RSP_K23", msa: str = "AA", control: str = "") -> bytes:
    first = [MSH.format(event), f"MSA|{msa}|{control or CONTROL_ID}"]
    return "\r".join([*first, *lines, ""]).encode()


def unknown(*places: str) -> bytes:
    errors = (f"ERR||{place}|204^Unknown key identifier^HL70357|E" for place in places)
    return reply(*errors, f"QAK|{TAG}|AE", QPD, msa="AE")


FOUND = f"PID|||R-5501873^^^{HD}^PI||~^^^^^^S"
SEVERAL = f"PID|||R-1^^^{HD}^PI~R-2^^^{HD}^PI||~^^^^^^S"
ELSEWHERE = "PID|||77^^^SOUTH&1.2.3&ISO^MR||~^^^^^^S"

CASES = [
    (1, reply(f"QAK|{TAG}|OK", QPD, FOUND), PixAnswer("found", ("R-5501873",))),
    (2, reply(f"QAK|{TAG}|NF", QPD), PixAnswer("nothing_in_domain")),
    (3, unknown("QPD^1^3^1^1"), PixAnswer("unknown_id")),
    (4, unknown("QPD^1^3^1^4"), PixAnswer("unknown_source_domain")),
    (5, unknown("QPD^1^4^1"), PixAnswer("unknown_target_domain")),
    (6, reply(f"QAK|{TAG}|OK", QPD, SEVERAL), PixAnswer("several", ("R-1", "R-2"))),
]


@pytest.mark.parametrize(("case", "raw", "answer"), CASES)
def test_the_six_pix_cases_are_six_answers(case: int, raw: bytes, answer: PixAnswer) -> None:
    assert pix_answer(raw, CONTROL_ID, TAG, REGION) == answer


def test_ids_of_another_domain_are_not_ours() -> None:
    raw = reply(f"QAK|{TAG}|OK", QPD, ELSEWHERE)
    assert pix_answer(raw, CONTROL_ID, TAG, REGION).case == "nothing_in_domain"


@pytest.mark.parametrize(
    "raw",
    [
        reply(f"QAK|{TAG}|OK", QPD, FOUND, control="NTF-0000"),
        reply("QAK|QT-other|OK", QPD, FOUND),
        reply(f"QAK|{TAG}|OK", QPD, FOUND, event="K22^RSP_K21"),
        b"MSH|^~\\&|PIXMGR|MPI\r",
        b"no message",
        b"",
    ],
)
def test_an_answer_to_another_query_is_never_taken(raw: bytes) -> None:
    with pytest.raises(MismatchError):
        pix_answer(raw, CONTROL_ID, TAG, REGION)


@pytest.mark.parametrize(
    ("lines", "msa", "error"),
    [
        (["ERR||MSH^1|207^Application internal error^HL70357|E"], "AE", DependencyUnavailableError),
        (["ERR||PID^1|206^Record locked^HL70357|E"], "AE", DependencyUnavailableError),
        ([], "AE", DependencyUnavailableError),
        ([f"QAK|{TAG}|AE", QPD], "AE", DependencyUnavailableError),
        (["ERR||MSH^1^12|203^Unsupported version id^HL70357|E"], "AR", ConfigurationError),
        (["ERR||QPD^1^1|101^Required field missing^HL70357|E"], "AE", ConfigurationError),
    ],
)
def test_an_index_in_trouble_is_unavailable_and_one_that_refuses_is_configured_wrongly(
    lines: list[str], msa: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="the index"):
        pix_answer(reply(*lines, msa=msa), CONTROL_ID, TAG, REGION)


def pdq(*lines: str, status: str = "OK", msa: str = "AA") -> bytes:
    return reply(f"QAK|{TAG}|{status}", "QPD|IHE PDQ Query", *lines, event="K22^RSP_K21", msa=msa)


def test_a_pdq_match_is_a_patient_with_demographics() -> None:
    person = f"PID|1||R-1^^^{HD}^PI||Ade^A^^^^^M~Okafor^Amara^N^^^^L||19580214|F"
    (found,) = pdq_answer(pdq(person, "QRI|97|NM|m"), CONTROL_ID, TAG, REGION).patients
    record = found.record
    assert (record.family, record.given, record.birth_date, record.sex) == (
        *("Okafor", "Amara"),
        *("1958-02-14", "F"),
    )
    assert (record.former_families, found.ids) == (("Ade",), ("R-1",))


def test_names_in_other_alphabets_and_escapes_are_read() -> None:
    person = f"PID|1||R-1^^^{HD}^PI||Reh\u00e1k \\T\\ Co^Tom^^^^^L||1949|M"
    (found,) = pdq_answer(pdq(person), CONTROL_ID, TAG, REGION).patients
    assert (found.record.family, found.record.birth_date) == ("Reh\u00e1k & Co", "1949")


def test_two_patients_and_more_to_come() -> None:
    people = [f"PID|{n}||R-{n}^^^{HD}^PI||X^Y^^^^^L||1958|F" for n in (1, 2)]
    answer = pdq_answer(pdq(*people, "DSC|CP-000045|I"), CONTROL_ID, TAG, REGION)
    assert ([found.ids for found in answer.patients], answer.pointer) == (
        [("R-1",), ("R-2",)],
        "CP-000045",
    )


def test_no_match_and_an_unknown_domain_are_not_the_same() -> None:
    none = pdq_answer(pdq(status="NF"), CONTROL_ID, TAG, REGION)
    assert (none.patients, none.domain_known) == ((), True)
    error = "ERR||QPD^1^8^1|204^Unknown key identifier^HL70357|E"
    assert not pdq_answer(pdq(error, status="AE", msa="AE"), CONTROL_ID, TAG, REGION).domain_known
