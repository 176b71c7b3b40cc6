"""The severity of each rejection and warning in a feed, and what to ask the hospital's interface team."""

from hl7.warnings import WarningCode
from lambdas.track_encounter.reading import CONTRADICTING_DEATH, IMPLAUSIBLE_TIME
from ops.feed.report.finding import ERROR, INFO, WARNING

REJECTIONS = {
    "not_hl7": (ERROR, "Send ER7 that begins with MSH.", ""),
    "msh_unreadable": (ERROR, r"Send the five delimiters in MSH-1 and MSH-2, as in |^~\&.", ""),
    "no_start_block": (ERROR, "Begin each MLLP frame with 0x0B.", ""),
    "no_control_id": (ERROR, "Fill MSH-10 in every message.", ""),
    "unknown_type": (
        ERROR,
        "Route ADT messages alone to this connection; see the types below.",
        "",
    ),
    "unknown_trigger": (ERROR, "Send a trigger event of ADT in MSH-9.2.", ""),
    "processing_id": (
        ERROR,
        "Send P in MSH-11 from the production system, and keep tests apart.",
        "Or set `receiver.processing_ids` in the environment's file.",
    ),
    "sender_not_allowed": (
        ERROR,
        "Confirm MSH-3 and MSH-4; they are compared exactly.",
        "The sender's file names one MSH-3 and MSH-4: correct it, or write a file for each system.",
    ),
    "trigger_not_allowed": (
        ERROR,
        "Stop these trigger events, or ask for them.",
        "`trigger_events` in the sender's file lists the allowed ones.",
    ),
    "too_many_segments": (ERROR, "Leave out segments that notifications do not need.", ""),
    "oversize": (ERROR, "Leave documents out of ADT messages.", ""),
    "second_message": (ERROR, "Send one message in a frame.", ""),
    "batch": (ERROR, "Send one message in a frame, no batches.", ""),
    "cut_off": (WARNING, "", "The capture ends inside a frame, or its end block is missing."),
    "aborted": (
        WARNING,
        "Find out why the engine begins a frame anew before it has ended one.",
        "",
    ),
}
"""Reason of the receiver to severity, request, and our part."""

WARNINGS = {
    WarningCode.DEATH_UNCLEAR: (
        ERROR,
        "It may say that the patient died: readers get a notice that claims neither.",
        "Send Y or N in PID-30, and a disposition whose text says what it means.",
    ),
    WarningCode.DEATH_CONTRADICTED: (
        ERROR,
        "One field says that the patient died and another one contradicts it.",
        "Find out which of the fields is right, and why both are filled.",
    ),
    WarningCode.DEATH_IN_FUTURE: (
        WARNING,
        "The date of death lies in the future.",
        "Send an empty PID-29 for patients who live.",
    ),
    WarningCode.MESSAGE_CONTINUES: (
        ERROR,
        "The message goes on in another one, which is not joined.",
        "Send the whole message in one frame, without DSC.",
    ),
    WarningCode.SECOND_PATIENT: (
        WARNING,
        "A second PID: nothing behind it is read.",
        "Send one patient in a message.",
    ),
    WarningCode.CLASS_CONTRADICTS_TRIGGER: (
        WARNING,
        "The patient class does not go with the trigger event.",
        "Say what the event means in this class: A04 of an inpatient, A06 to outpatient.",
    ),
    WarningCode.CODE_CONTRADICTED: (
        WARNING,
        "The code and its text mean different things; the text was used.",
        "Correct the code or the text in the application's table.",
    ),
    WarningCode.CODE_IN_WORDS: (
        INFO,
        "The code is in no table; it was read by its words.",
        "Confirm the reading in the proposed sender's file.",
    ),
    WarningCode.CODE_OF_OTHER_TABLE: (
        INFO,
        "The code is of another standard's table.",
        "Confirm the reading in the proposed sender's file.",
    ),
    WarningCode.CONTINUED_LINES: (
        WARNING,
        "A line break stands inside the field; it was read as text.",
        r"Write line breaks inside a field as \.br\ (HL7 v2.9, 2.7.6).",
    ),
    WarningCode.DELIMITERS_ESCAPED: (
        WARNING,
        "The message was HTML-escaped as a whole.",
        "Send the message as it is, without escaping for the web.",
    ),
    WarningCode.DELIMITERS_DOUBLED: (
        WARNING,
        "Backslashes are doubled: the message was escaped as a string.",
        "Send the message as it is, without escaping of strings.",
    ),
    WarningCode.DELIMITERS_MISSING: (WARNING, "MSH-2 is empty.", r"Send ^~\& in MSH-2."),
    WarningCode.DELIMITERS_INCOMPLETE: (WARNING, "MSH-2 is short.", r"Send ^~\& in MSH-2."),
    WarningCode.NO_CHECK_DIGIT: (
        WARNING,
        "The second component is no check digit; it was read as the authority.",
        "Send the assigning authority in the fourth component.",
    ),
    WarningCode.NAME_MISWRITTEN: (
        WARNING,
        "A segment's name is not written as the standard has it.",
        "Send segment names in capitals without blanks.",
    ),
    WarningCode.SEGMENT_UNKNOWN: (
        INFO,
        "Lines whose names are no segments of the standard; they are not read.",
        "Say what these segments hold, or leave them out.",
    ),
    WarningCode.TOO_MANY_REPETITIONS: (
        WARNING,
        "More repetitions than are read.",
        "Send at most 100 repetitions, and one value in a field that does not repeat.",
    ),
    WarningCode.NOT_CURRENT: (
        WARNING,
        "MSH-11.2 marks the message as archive, restore or initial load: nobody is told.",
        "Confirm that live messages leave MSH-11.2 empty.",
    ),
    WarningCode.NOT_STANDARD_FORM: (
        INFO,
        "The value is not in the standard's form; it was read as it is plainly meant.",
        r"Send YYYYMMDD, times as YYYYMMDDHHMMSS with an offset, and ~ in a text as \R\.",
    ),
    WarningCode.VALUE_TYPE_MISSING: (
        INFO,
        "OBX-2 is empty: the value is not read as a note.",
        "Send the value type in OBX-2.",
    ),
}
"""Kind of warning to severity, description, and request. Other kinds are in the table of warnings alone."""

DOUBTS = {
    IMPLAUSIBLE_TIME: (
        WARNING,
        "A time of the event cannot be true: in the future, before the birth, or decades ago.",
        "Find out where default times such as 1970-01-01 come from.",
    ),
    CONTRADICTING_DEATH: (
        WARNING,
        "The statement about the patient's death is not usable.",
        "See PID-29, PID-30 and PV1-36 above.",
    ),
}
"""Details of a message that the encounter rules could not use."""
