"""The warnings of reading a message: its departures from the standard, by position.

A warning never holds a value of the message.
"""

from dataclasses import dataclass
from enum import StrEnum


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


TEXTS = {
    WarningCode.CHARACTER_SET_UNKNOWN: "{position} names a character set that is not known",
    WarningCode.CHARACTER_SET_WRONG: "the message is not in the character set of {position}",
    WarningCode.CHARACTER_SET_ASSUMED: "the message was read as {detail}",
    WarningCode.DELIMITERS_ESCAPED: "{position} was HTML-escaped",
    WarningCode.DELIMITERS_MISSING: "{position} is empty; read with the usual delimiters",
    WarningCode.DELIMITERS_INCOMPLETE: "{position} is short; read with the usual delimiters for the rest",
    WarningCode.LINE_FEEDS: "line feeds were read as segment ends",
    WarningCode.CONTINUED_LINES: "{position} goes on over {detail} lines",
    WarningCode.SECOND_PATIENT: "{position} is a second PID; nothing was read from it on",
    WarningCode.NOT_A_TIME: "{position} is not a time",
    WarningCode.NOT_A_DATE: "{position} is not a date",
    WarningCode.NO_OFFSET: "{position} has no offset and the sender no time zone",
    WarningCode.EMPTY: "{position} is empty",
    WarningCode.READ_ELSEWHERE: "{position} is empty; read from {detail}",
    WarningCode.NOT_ADT: "{position} is not an ADT trigger event",
    WarningCode.UNKNOWN_CODE: "{position} is not a code that we know",
    WarningCode.VERSION_UNKNOWN: "{position} is not a version we know; read as {detail}",
    WarningCode.VERSION_MISWRITTEN: "{position} is not written as the standard has it; read as {detail}",
    WarningCode.TOO_LARGE_TO_CHECK: "{position} and the segments after it are too large to check",
    WarningCode.NOT_OF_VERSION: "{position} does not fit version {detail}",
    WarningCode.FIELD_UNDEFINED: "{position} has a field that version {detail} does not define",
    WarningCode.FIELD_WITHDRAWN: "{position} is withdrawn in version {detail}",
    WarningCode.COMPONENT_UNDEFINED: "{position} has a component that {detail} does not define",
    WarningCode.WRONG_DATA_TYPE: "{position} is not of type {detail}",
    WarningCode.NO_CHECK_DIGIT: "{position} is no check digit; read as the assigning authority",
    WarningCode.FACILITY_MISSING: "{position} do not both name a facility",
    WarningCode.VALUE_TYPE_MISSING: "{position} is empty; its value was not read",
    WarningCode.NOTE_WITHDRAWN: "{position} withdraws the note; it was not read",
    WarningCode.NO_AUTHORITY: "{position} has no assigning authority and was not looked up",
    WarningCode.AUTHORITY_UNKNOWN: "{position}: the MPI does not know its authority",
    WarningCode.AUTHORITY_NOT_ALLOWED: "{position}: the sender may not assert its authority; it was not looked up",
    WarningCode.IDENTIFIER_TOO_LONG: "{position} is too long and was not looked up",
    WarningCode.IDENTIFIER_WILDCARD: "{position} holds a wildcard (* ? %) and was not looked up",
    WarningCode.NPI_INVALID: "{position}: not a valid NPI",
    WarningCode.NOT_COMPARABLE: "{position} could not be compared",
    WarningCode.DELIMITERS_DOUBLED: "{position} was escaped twice; double backslashes were read as one",
    WarningCode.CONTINUED_BY_ADD: "{position} is continued by ADD",
    WarningCode.MESSAGE_CONTINUES: "{position}: the message goes on in another one, which was not joined",
    WarningCode.NAME_MISWRITTEN: "{position} and others ({detail} in all) have names in small letters or with blanks around them",
    WarningCode.SEGMENT_UNKNOWN: "{position} and others ({detail} in all) are no segments of the standard; they were set apart",
    WarningCode.TOO_MANY_REPETITIONS: "{position} has more than {detail} repetitions; the others were not read",
    WarningCode.NOT_STANDARD_FORM: "{position} is not in the standard's form; it was read as it is plainly meant",
    WarningCode.CODE_IN_WORDS: "{position} was read by its words; its code is in none of the tables",
    WarningCode.CODE_OF_OTHER_TABLE: "{position} was read by another table: {detail}",
    WarningCode.CODE_CONTRADICTED: "{position}: the text contradicts the code; the text was used",
    WarningCode.DEATH_IN_FUTURE: "{position} lies in the future; it was not read",
    WarningCode.DEATH_CONTRADICTED: "{position} contradicts {detail}; no death was told",
    WarningCode.DEATH_UNCLEAR: "{position} may say that the patient died; no death was told",
    WarningCode.NOT_CURRENT: "{position} says that the message is no current event",
    WarningCode.CLASS_CONTRADICTS_TRIGGER: "{position} does not go with trigger event {detail}",
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
