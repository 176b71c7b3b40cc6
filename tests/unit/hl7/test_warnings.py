"""A warning names a departure and its position, and is a sentence for people."""

import string

import pytest

from hl7.warnings import TEXTS, MessageWarning, WarningCode


@pytest.mark.parametrize("code", WarningCode)
def test_every_warning_is_a_sentence_about_its_position_and_detail(code: WarningCode) -> None:
    warning = MessageWarning(code, "PID-7", "2.5.1")
    named = {name for _, name, _, _ in string.Formatter().parse(TEXTS[code]) if name}
    assert named <= {"position", "detail"}
    assert ("PID-7" in str(warning)) is ("position" in named)
    assert ("2.5.1" in str(warning)) is ("detail" in named)
