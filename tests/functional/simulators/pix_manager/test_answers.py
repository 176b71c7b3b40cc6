"""The local index: the tables of ITI-9 and ITI-21, its strictness, and that hl7apy reads what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hl7apy.parser import parse_message

from simulators.pix_manager.answers import QueryResponder
from simulators.pix_manager.people import SimulatedPatients

ROOT = Path(__file__).resolve().parents[4]
NORTHGEN = "NORTHGEN&2.16.840.1.113883.3.9999.11&ISO"
REGION = "REGION&2.16.840.1.113883.3.9999.10&ISO"

Ask = Callable[..., list[str]]

counter = iter(range(1_000_000))


@pytest.fixture
def ask() -> Ask:
    """Asks the index and returns the answer's segments, hl7apy having read them."""
    answers = QueryResponder(SimulatedPatients(ROOT / "samples" / "registry"))

    def question(kind: str, qpd: str, *more: str, rcp: str = "RCP|I|10^RD") -> list[str]:
        header = f"MSH|^~\\&|NOTIFY|HUB|PIXMGR|MPI|20261123093000+0000||{kind}|N-{next(counter)}"
        raw = "\r".join([f"{header}|P|2.5", f"QPD|{qpd}", rcp, *more, ""])
        answer = answers.answer(raw.encode()).decode()
        parse_message(answer, find_groups=False)
        return answer.split("\r")

    return question


PIX, PDQ = "QBP^Q23^QBP_Q21", "QBP^Q22^QBP_Q21"


def short(lines: list[str]) -> tuple[str, str, list[str]]:
    """MSA-1, QAK-2, and the places of the errors."""
    fields = {line[:3]: line.split("|") for line in lines if line}
    errors = [line.split("|")[2] for line in lines if line.startswith("ERR")]
    return fields["MSA"][1], fields["QAK"][2] if "QAK" in fields else "", errors


@pytest.mark.parametrize(
    ("qpd", "answer", "pid"),
    [
        (
            f"H00412^^^{NORTHGEN}|^^^{REGION}",
            ("AA", "OK", []),
            f"PID|||p-okafor^^^{REGION}^PI||~^^^^^^S",
        ),
        (f"H00412^^^{NORTHGEN}|^^^aa", ("AA", "NF", []), ""),
        (f"H99999^^^{NORTHGEN}|^^^{REGION}", ("AE", "AE", ["QPD^1^3^1^1"]), ""),
        (f"H00412^^^MARS|^^^{REGION}", ("AE", "AE", ["QPD^1^3^1^4"]), ""),
        (f"H00412^^^{NORTHGEN}|^^^aa~^^^MARS", ("AE", "AE", ["QPD^1^4^2"]), ""),
        (
            f"H00850^^^{NORTHGEN}|^^^{REGION}",
            ("AA", "OK", []),
            f"PID|||p-lind-1^^^{REGION}^PI~p-lind-2^^^{REGION}^PI||~^^^^^^S",
        ),
    ],
)
def test_the_six_pix_cases(
    ask: Ask, qpd: str, answer: tuple[str, str, list[str]], pid: str
) -> None:
    lines = ask(PIX, f"IHE PIX Query|T1|{qpd}", rcp="RCP|I")
    assert short(lines) == answer
    assert [line for line in lines if line.startswith("PID")] == ([pid] if pid else [])
    assert f"QPD|IHE PIX Query|T1|{qpd}" in lines
    assert "RSP^K23^RSP_K23" in lines[0]


def test_the_queried_id_is_not_in_the_answer_and_without_domains_all_come(ask: Ask) -> None:
    lines = ask(PIX, f"IHE PIX Query|T1|p-okafor^^^{REGION}", rcp="RCP|I")
    (pid,) = (line for line in lines if line.startswith("PID"))
    assert "H00412" in pid
    assert "p-okafor" not in pid


def test_a_domain_whose_parts_do_not_belong_together_is_unknown(ask: Ask) -> None:
    mixed = "H00412^^^NORTHGEN&2.16.840.1.113883.3.9999.10&ISO"
    assert short(ask(PIX, f"IHE PIX Query|T1|{mixed}", rcp="RCP|I"))[2] == ["QPD^1^3^1^4"]


BY_ID = f"@PID.3.1^p-okafor~@PID.3.4.1^REGION|||||^^^{REGION}"


def test_pdq_by_id_gives_the_demographics(ask: Ask) -> None:
    lines = ask(PDQ, f"IHE PDQ Query|T1|{BY_ID}")
    (pid,) = (line for line in lines if line.startswith("PID"))
    assert pid == f"PID|1||p-okafor^^^{REGION}^PI||Okafor^Amara^^^^^L||19580214|F"
    assert short(lines) == ("AA", "OK", [])


def test_pdq_by_the_id_of_a_merged_patient_gives_the_survivor(ask: Ask) -> None:
    lines = ask(PDQ, f"IHE PDQ Query|T1|{BY_ID.replace('p-okafor', 'p-okafor-old')}")
    (pid,) = (line for line in lines if line.startswith("PID"))
    assert f"||p-okafor^^^{REGION}^PI||" in pid


def test_pdq_finds_nobody_or_does_not_know_a_domain(ask: Ask) -> None:
    assert short(ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Nobody")) == ("AA", "NF", [])
    unknown = ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Lind|||||^^^MARS~^^^VENUS")
    assert short(unknown) == ("AE", "AE", ["QPD^1^8^1", "QPD^1^8^2"])


def test_pdq_drops_whom_the_wanted_domains_do_not_know(ask: Ask) -> None:
    assert short(ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Lind|||||^^^aa")) == ("AA", "NF", [])


def test_pdq_goes_on_where_it_stopped_for_a_new_message_only(ask: Ask) -> None:
    first = ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Lind", rcp="RCP|I|1^RD")
    (pointer,) = (line.split("|")[1] for line in first if line.startswith("DSC"))
    again = ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Lind", f"DSC|{pointer}|I", rcp="RCP|I|1^RD")
    people = [line.split("|")[3] for line in (*first, *again) if line.startswith("PID")]
    assert ["p-lind-1" in people[0], "p-lind-2" in people[1]] == [True, True]
    assert not any(line.startswith("DSC") for line in again)
    stale = ask(PDQ, "IHE PDQ Query|T1|@PID.5.1.1^Lind", f"DSC|{pointer}|I")
    assert short(stale)[::2] == ("AR", ["DSC^1^1"])


@pytest.mark.parametrize(
    ("kind", "qpd", "rcp", "place"),
    [
        ("ADT^A01^ADT_A01", "x", "RCP|I", "MSH^1^9"),
        ("QBP^Q99^QBP_Q21", "x", "RCP|I", "MSH^1^9"),
        ("QBP^Q23", f"IHE PIX Query|T1|H1^^^{NORTHGEN}", "RCP|I", "MSH^1^9"),
        (PIX, f"PIX|T1|H1^^^{NORTHGEN}", "RCP|I", "QPD^1^1"),
        (PIX, f"IHE PIX Query||H1^^^{NORTHGEN}", "RCP|I", "QPD^1^2"),
        (PIX, "IHE PIX Query|T1|", "RCP|I", "QPD^1^3"),
        (PIX, f"IHE PIX Query|T1|1^^^{NORTHGEN}~2^^^{NORTHGEN}", "RCP|I", "QPD^1^3"),
        (PIX, f"IHE PIX Query|T1|1^^^{NORTHGEN}|x^^^{REGION}", "RCP|I", "QPD^1^4^1"),
        (PIX, f"IHE PIX Query|T1|1^^^{NORTHGEN}", "RCP|D", "RCP^1^1"),
        (PDQ, "IHE PDQ Query|T1|@PID.3.1^1", "RCP|I", "QPD^1^3"),
        (PDQ, "IHE PDQ Query|T1|@PID.8.1^F", "RCP|I", "QPD^1^3"),
        (PDQ, "IHE PDQ Query|T1|@OBX.5^F", "RCP|I", "QPD^1^3"),
        (PDQ, "IHE PDQ Query|T1|@PID.8^F|algorithm", "RCP|I", "QPD^1^4"),
    ],
)
def test_what_the_profiles_do_not_allow_is_refused(
    ask: Ask, kind: str, qpd: str, rcp: str, place: str
) -> None:
    assert short(ask(kind, qpd, rcp=rcp))[::2] == ("AR", [place])
