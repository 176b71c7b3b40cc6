"""A death is told on clear evidence that nothing contradicts; anything else is neutral, with a warning."""

import pytest

from hl7.death import Evidence
from hl7.warnings import WarningCode
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.senders import SenderCodes, SenderDisposition
from lambdas.delivery.letter.words.wording import notice_of
from lambdas.parse_message.read_event import read_event
from tests.support.decided import decided


def discharge(
    pid_29: str = "", pid_30: str = "", pv1_36: str = "", codes: SenderCodes | None = None
) -> PatientEvent:
    pv1 = "|".join(
        ["PV1", "1", "I", *[""] * 33, pv1_36, *[""] * 7, "20270101", "20270105080500+0100"]
    )
    raw = (
        "MSH|^~\\&|HIS|EAST|||20270105081500+0100||ADT^A03|E-78|P|2.5.1\r"
        "EVN|A03|20270105081400+0100\r"
        f"PID|1||E-1001^^^EAST||Lindgren^Alva||19440317|F{'|' * 21}{pid_29}|{pid_30}\r"
        f"{pv1}\r"
    )
    return decided(read_event(raw.encode(), "e", codes=codes))


def codes_of(event: PatientEvent) -> set[tuple[WarningCode, str]]:
    return {(one.code, one.position) for one in event.warnings}


@pytest.mark.parametrize(
    ("pid_29", "pid_30", "pv1_36"),
    [
        ("20270105075500+0100", "Y", "20"),
        ("20270105", "", ""),
        ("2027-01-05T07:55", "", ""),
        ("05.01.2027", "", ""),
        ("202701", "", ""),
        ("", "Yes", ""),
        ("", "true", ""),
        ("", "Y^Yes^HL70136", ""),
        ("", "", "20"),
        ("", "", "EXPIRED"),
        ("", "", "9^Décédée^QC"),
        ("", "", "07^Tod^LOCAL"),
        ("tomorrow", "Y", ""),
        ("", "U", "20"),
        ('""', "Y", ""),
        ("", "Y", "50"),
        ("20270101", "1", "41"),
        ("19000101", "Y", ""),
    ],
)
def test_clear_evidence_is_told_as_a_death(pid_29: str, pid_30: str, pv1_36: str) -> None:
    event = discharge(pid_29, pid_30, pv1_36)
    assert (event.death, event.patient.died) == (Evidence.CLEAR, True)
    assert notice_of(event) == "death"


@pytest.mark.parametrize(
    ("pid_29", "pid_30", "pv1_36", "position"),
    [
        ("20270105", "N", "", "PID-29"),
        ("20270105", "No", "", "PID-29"),
        ("20270105", "false", "", "PID-29"),
        ("20270105", "0", "01", "PID-29"),
        ("", "N", "20", "PV1-36"),
        ("", "N", "72^Died in facility", "PV1-36"),
        ("", "Y", "01", "PID-30"),
        ("20270105", "", "03", "PID-29"),
        ("99991231", "Y", "", "PID-30"),
        ("20280105", "", "", "PID-29"),
        ("tomorrow", "", "", "PID-29"),
        ("19000101", "", "", "PID-29"),
        ("20230105", "Y", "", "PID-30"),
        ("20230105", "", "20", "PV1-36"),
        ("", "U", "", "PID-30"),
        ("", "", "1^Not deceased", "PV1-36"),
        ("", "", "8^Insurance expired", "PV1-36"),
        ("", "", "72^^CIHI", "PV1-36"),
        ("", "", "4", "PV1-36"),
        ("", "", "25^^HL70112", "PV1-36"),
    ],
)
def test_unclear_evidence_tells_neither_a_death_nor_a_discharge(
    pid_29: str, pid_30: str, pv1_36: str, position: str
) -> None:
    event = discharge(pid_29, pid_30, pv1_36)
    assert (event.death, event.patient.died, event.patient.died_at) == (Evidence.UNCLEAR, False, "")
    assert notice_of(event) == "stay_ended"
    told = {
        WarningCode.DEATH_CONTRADICTED,
        WarningCode.DEATH_UNCLEAR,
        WarningCode.DEATH_IN_FUTURE,
    }
    assert {where for code, where in codes_of(event) if code in told} >= {position}


@pytest.mark.parametrize(
    ("pid_29", "pid_30", "pv1_36"),
    [
        ("", "", ""),
        ("", "N", "01"),
        ('""', '""', "01"),
        ("99991231", "", "01"),
        ("99991231", "N", ""),
        ("", "", "40^Group or supportive living^CIHI"),
        ("", "", "42^Left against medical advice"),
        ("", "", "07^Nursing home^LTC"),
        ("", "", "HOM"),
    ],
)
def test_a_living_patient_is_discharged(pid_29: str, pid_30: str, pv1_36: str) -> None:
    event = discharge(pid_29, pid_30, pv1_36)
    assert event.death in (Evidence.NONE, Evidence.AGAINST)
    assert event.patient.died_at == ""
    assert notice_of(event) == "discharge"


def test_the_disposition_of_a_cancelled_discharge_tells_no_death() -> None:
    raw = (
        "MSH|^~\\&|HIS|EAST|||20270105081500+0100||ADT^A13|E-78|P|2.5.1\r"
        "PID|1||E-1001^^^EAST||Lindgren^Alva||19440317|F\r"
        f"PV1|1|I|{'|' * 32}|20\r"
    )
    event = read_event(raw.encode(), "e")
    assert event.visit.disposition.code == "20"
    assert (event.death, event.patient.died) == (Evidence.NONE, False)


def test_the_senders_table_decides_about_its_codes() -> None:
    codes = SenderCodes(
        dispositions={
            "72": SenderDisposition("Died in facility", death=True),
            "20": SenderDisposition("Home"),
        }
    )
    died, home = discharge(pv1_36="72", codes=codes), discharge(pv1_36="20^^L", codes=codes)
    assert (notice_of(died), died.visit.disposition.text) == ("death", "Died in facility")
    assert (notice_of(home), home.visit.disposition.text) == ("discharge", "Home")
    assert not {one for one in codes_of(died) if one[0] is WarningCode.UNKNOWN_CODE}


def test_a_line_break_before_the_death_fields_hides_no_death() -> None:
    raw = (
        "MSH|^~\\&|HIS|EAST|||20270105081500+0100||ADT^A03|E-78|P|2.5.1\r"
        "PID|1||E-1001^^^EAST||Lindgren^Alva||19440317|F|||Box 4\rGSO\n^^Visby||||||||||||||||||20270105|Y\r"
        "PV1|1|I\r"
    )
    assert read_event(raw.encode(), "e").death == Evidence.CLEAR
