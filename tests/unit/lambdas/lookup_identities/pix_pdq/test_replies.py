"""Each case of ITI-9 and ITI-21 told apart by MSA, QAK and the place in ERR."""

import pytest

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError
from lambdas.lookup_identities.pix_pdq.queries import AssigningAuthority, Heading, Parties
from lambdas.lookup_identities.pix_pdq.replies import (
    MismatchError,
    PixAnswer,
    PixCase,
    pdq_answer,
    pix_answer,
)

REGION = AssigningAuthority("REGION", "2.16.840.1.113883.3.9999.10")
HD = "REGION&2.16.840.1.113883.3.9999.10&ISO"
CONTROL_ID, TAG = "NTF-0001", "QT-7c1e"
HEADING = Heading(Parties("NOTIFY", "REGION_HUB", "PIXMGR", "MPI"), CONTROL_ID, TAG)
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
    (1, reply(f"QAK|{TAG}|OK", QPD, FOUND), PixAnswer(PixCase.FOUND, ("R-5501873",))),
    (2, reply(f"QAK|{TAG}|NF", QPD), PixAnswer(PixCase.NOTHING_IN_DOMAIN)),
    (3, unknown("QPD^1^3^1^1"), PixAnswer(PixCase.UNKNOWN_ID)),
    (4, unknown("QPD^1^3^1^4"), PixAnswer(PixCase.UNKNOWN_SOURCE_DOMAIN)),
    (5, unknown("QPD^1^4^1"), PixAnswer(PixCase.UNKNOWN_TARGET_DOMAIN)),
    (6, reply(f"QAK|{TAG}|OK", QPD, SEVERAL), PixAnswer(PixCase.SEVERAL, ("R-1", "R-2"))),
]


@pytest.mark.parametrize(("case", "raw", "answer"), CASES)
def test_the_six_pix_cases_are_six_answers(case: int, raw: bytes, answer: PixAnswer) -> None:
    assert pix_answer(raw, HEADING, REGION) == answer


@pytest.mark.parametrize(
    "raw",
    [
        reply(f"QAK|{TAG}|OK", QPD),
        reply(f"QAK|{TAG}|OK", QPD, ELSEWHERE),
        reply(f"QAK|{TAG}|OK", QPD, "PID|||^^^REGION^PI||~^^^^^^S"),
        reply(f"QAK|{TAG}|OK", QPD, f"PID|||R-1^^^{HD}^PI")[:-1],
        reply(f"QAK|{TAG}|NF", QPD, FOUND),
        reply(f"QAK|{TAG}|", QPD, FOUND),
        reply(f"QAK|{TAG}|AE", QPD),
        reply(f"QAK|{TAG}|OK", QPD, f"PID|||R-1*^^^{HD}^PI||~^^^^^^S"),
        # An error that names no component: the id, or its domain, may be unknown.
        unknown("QPD^1^3^1"),
        unknown("QPD^1^3^1^1", "QPD^1^9"),
        reply(
            "ERR||QPD^1^3^1^1|204^Unknown key identifier^HL70357|E", f"QAK|{TAG}|OK", QPD, msa="AE"
        ),
    ],
    ids=[
        *("OK without PID", "OK with an id of another domain", "OK with an empty id"),
        *("PID cut off behind PID-3", "NF with a patient", "no status", "AA beside AE"),
        *("an id with a wildcard", "no component", "an unknown place", "AE beside OK"),
    ],
)
def test_an_answer_that_is_no_case_of_its_profile_is_broken_and_never_nobody(raw: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        pix_answer(raw, HEADING, REGION)


def test_the_last_segment_may_lack_its_end_when_what_is_required_is_there() -> None:
    raw = reply(f"QAK|{TAG}|OK", QPD, FOUND)[:-1]
    assert pix_answer(raw, HEADING, REGION) == PixAnswer(PixCase.FOUND, ("R-5501873",))


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
        pix_answer(raw, HEADING, REGION)


@pytest.mark.parametrize(
    ("lines", "msa", "error"),
    [
        (["ERR||MSH^1|207^Application internal error^HL70357|E"], "AE", DependencyUnavailableError),
        (["ERR||PID^1|206^Record locked^HL70357|E"], "AE", DependencyUnavailableError),
        ([], "AE", DependencyUnavailableError),
        ([f"QAK|{TAG}|AE", QPD], "AE", DependencyUnavailableError),
        (["ERR||MSH^1|207^Application internal error^HL70357|E"], "AR", DependencyUnavailableError),
        ([], "AR", DependencyUnavailableError),
        (["ERR||MSH^1|205^Duplicate key identifier^HL70357|E"], "AR", DependencyUnavailableError),
        (["ERR||MSH^1^12|203^Unsupported version id^HL70357|E"], "AR", ConfigurationError),
        (["ERR||QPD^1^1|101^Required field missing^HL70357|E"], "AE", ConfigurationError),
    ],
)
def test_an_mpi_in_trouble_is_asked_again_and_one_that_rejects_the_query_is_configured_wrongly(
    lines: list[str], msa: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="the MPI"):
        pix_answer(reply(*lines, msa=msa), HEADING, REGION)


def pdq(*lines: str, status: str = "OK", msa: str = "AA") -> bytes:
    return reply(f"QAK|{TAG}|{status}", "QPD|IHE PDQ Query", *lines, event="K22^RSP_K21", msa=msa)


def test_a_pdq_match_is_a_patient_with_demographics() -> None:
    person = f"PID|1||R-1^^^{HD}^PI||Ade^A^^^^^M~Okafor^Amara^N^^^^L||19580214|F"
    (found,) = pdq_answer(pdq(person, "QRI|97|NM|m"), HEADING, REGION).patients
    record = found.record
    assert (record.family, record.given, record.birth_date, record.sex) == (
        *("Okafor", "Amara"),
        *("1958-02-14", "F"),
    )
    assert (record.former_families, found.ids) == (("Ade",), ("R-1",))


def test_names_in_other_alphabets_and_escapes_are_read() -> None:
    person = f"PID|1||R-1^^^{HD}^PI||Reh\u00e1k \\T\\ Co^Tom^^^^^L||1949|M"
    (found,) = pdq_answer(pdq(person), HEADING, REGION).patients
    assert (found.record.family, found.record.birth_date) == ("Reh\u00e1k & Co", "1949")


def test_two_patients_and_more_to_come() -> None:
    people = [f"PID|{n}||R-{n}^^^{HD}^PI||X^Y^^^^^L||1958|F" for n in (1, 2)]
    answer = pdq_answer(pdq(*people, "DSC|CP-000045|I"), HEADING, REGION)
    assert ([found.ids for found in answer.patients], answer.pointer) == (
        [("R-1",), ("R-2",)],
        "CP-000045",
    )


def test_no_match_and_an_unknown_domain_are_not_the_same() -> None:
    none = pdq_answer(pdq(status="NF"), HEADING, REGION)
    assert (none.patients, none.domain_known) == ((), True)
    error = "ERR||QPD^1^8^1|204^Unknown key identifier^HL70357|E"
    assert not pdq_answer(pdq(error, status="AE", msa="AE"), HEADING, REGION).domain_known


PERSON = f"PID|1||R-1^^^{HD}^PI||Okafor^Amara^N^^^^L||19580214|F"


@pytest.mark.parametrize(
    "raw",
    [
        pdq(),
        pdq(f"PID|1||R-1^^^{HD}^PI||||19580214|F"),
        pdq("PID|1||77^^^SOUTH&1.2.3&ISO^MR||Okafor^Amara^^^^^L||19580214|F"),
        pdq(PERSON)[: -len("0214|F\r")],
        pdq(PERSON, status="NF"),
    ],
    ids=["OK without PID", "no name", "no id of ours", "cut off", "NF"],
)
def test_a_patient_without_what_pdq_requires_is_a_broken_answer(raw: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        pdq_answer(raw, HEADING, REGION)
