"""Acknowledgements: the code, and why not, wherever a receiver puts it."""

import pytest

from hl7.acknowledgement import read_answer

HEADER = b"MSH|^~\\&|R|R|S|S|20261123||ACK|1|P|2.5\r"


@pytest.mark.parametrize(
    ("segments", "code", "text"),
    [
        (b"MSA|AA|7\r", "AA", ""),
        (b"MSA|CA|7\r", "CA", ""),
        (
            b"MSA|AE|7\rERR||PID^1^3|101^Required field missing^HL70357|E||||no identifier\r",
            "AE",
            "no identifier (101 Required field missing, PID-1-3)",
        ),
        (b"ERR|||207|E\rMSA|AR|7\r", "AR", "207"),
        (b"MSA|AE|7|an old way to say why\r", "AE", "an old way to say why"),
        (b"MSA|AE|7|\x1b[31mred\r", "AE", "?[31mred"),
    ],
)
def test_code_and_reason_are_read(segments: bytes, code: str, text: str) -> None:
    answer = read_answer(HEADER + segments)
    assert (answer.code, answer.text, answer.control_id) == (code, text, b"7")
    assert answer.accepted == (code in ("AA", "CA"))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n", HEADER, b"MSH"])
def test_what_is_no_acknowledgement_is_none(answer: bytes) -> None:
    assert (read_answer(answer).code, read_answer(answer).accepted) == ("", False)


def test_the_receivers_own_delimiters_are_used() -> None:
    assert read_answer(b"MSH$^~\\&$R\rMSA$AA$7\r").code == "AA"
