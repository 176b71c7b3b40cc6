"""The warnings of reading a message: its departures from the standard, by position.

A warning never holds a value of the message.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class WarningCode(StrEnum):
    """The departure, and how the message was read in spite of it."""

    CHARACTER_SET_UNKNOWN = "character_set_unknown"
    CHARACTER_SET_WRONG = "character_set_wrong"
    CHARACTER_SET_ASSUMED = "character_set_assumed"
    DELIMITERS_ESCAPED = "delimiters_escaped"
    DELIMITERS_MISSING = "delimiters_missing"
    DELIMITERS_INCOMPLETE = "delimiters_incomplete"
    LINE_FEEDS = "line_feeds"
    CONTINUED_LINES = "continued_lines"
    SECOND_PATIENT = "second_patient"
    NOT_A_TIME = "not_a_time"
    NOT_A_DATE = "not_a_date"
    NO_OFFSET = "no_offset"
    EMPTY = "empty"
    READ_ELSEWHERE = "read_elsewhere"
    NOT_ADT = "not_adt"
    UNKNOWN_CODE = "unknown_code"
    VERSION_UNKNOWN = "version_unknown"
    VERSION_MISWRITTEN = "version_miswritten"
    TOO_LARGE_TO_CHECK = "too_large_to_check"
    NOT_OF_VERSION = "not_of_version"
    FIELD_UNDEFINED = "field_undefined"
    FIELD_WITHDRAWN = "field_withdrawn"
    COMPONENT_UNDEFINED = "component_undefined"
    WRONG_DATA_TYPE = "wrong_data_type"
    NO_CHECK_DIGIT = "no_check_digit"
    FACILITY_MISSING = "facility_missing"
    VALUE_TYPE_MISSING = "value_type_missing"
    NOTE_WITHDRAWN = "note_withdrawn"
    NO_AUTHORITY = "no_authority"
    AUTHORITY_UNKNOWN = "authority_unknown"
    AUTHORITY_NOT_ALLOWED = "authority_not_allowed"
    IDENTIFIER_TOO_LONG = "identifier_too_long"
    IDENTIFIER_WILDCARD = "identifier_wildcard"
    NPI_INVALID = "npi_invalid"
    NOT_COMPARABLE = "not_comparable"
    DELIMITERS_DOUBLED = "delimiters_doubled"
    CONTINUED_BY_ADD = "continued_by_add"
    MESSAGE_CONTINUES = "message_continues"
    NAME_MISWRITTEN = "name_miswritten"
    SEGMENT_UNKNOWN = "segment_unknown"
    TOO_MANY_REPETITIONS = "too_many_repetitions"
    NOT_STANDARD_FORM = "not_standard_form"
    CODE_IN_WORDS = "code_in_words"
    CODE_OF_OTHER_TABLE = "code_of_other_table"
    CODE_CONTRADICTED = "code_contradicted"
    DEATH_IN_FUTURE = "death_in_future"
    DEATH_CONTRADICTED = "death_contradicted"
    DEATH_UNCLEAR = "death_unclear"
    NOT_CURRENT = "not_current"
    CLASS_CONTRADICTS_TRIGGER = "class_contradicts_trigger"


TEXTS: dict[WarningCode, str] = {
    WarningCode(code): text
    for code, text in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
"""The sentence about each code, with the members of `MessageWarning`."""


@dataclass(frozen=True, slots=True)
class MessageWarning:
    """A departure at a position, such as `PID-7`, `OBX[2]-5` or `line 3`.

    `detail` is a code, version, data type or count; never a value of the message.
    """

    code: WarningCode
    position: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return TEXTS[self.code].format(position=self.position, detail=self.detail)
