"""The policy's decision about each recipient, as `ens trace` shows it."""

import io

from rich.console import Console

from ops.events.terminal import _recipient
from ops.events.timeline import Entry, RecipientOutcome, note, recipients

LOOKED_UP: Entry = {
    "step": "LookupIdentities",
    "action": "NO_RECIPIENT",
    "outcome": "no_recipient",
    "execution_arn": "arn:run",
    "considered": [
        {
            "recipient_ref": "k1.pcp",
            "relationship": "primary_care",
            "reason": "OPTED_OUT",
            "policy_file": "consents",
            "policy_rule": "denied",
            "policy_version": "1",
            "consent_id": "C-7",
        },
        {
            "recipient_ref": "k1.old",
            "relationship": "care_team",
            "reason": "RECIPIENT_OFF",
            "policy_rule": "",
        },
    ],
}


def printed(entry: Entry) -> str:
    out = Console(file=io.StringIO(), width=120)
    for recipient in recipients([entry]):
        _recipient(recipient, out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_a_suppressed_recipient_is_listed_with_rule_reason_and_consent() -> None:
    (found,) = recipients([LOOKED_UP])
    assert found.outcome is RecipientOutcome.SUPPRESSED
    assert "policy consents/denied (1): OPTED_OUT, consent C-7" in printed(LOOKED_UP)


def test_an_event_that_the_policy_suppressed_for_all_says_so() -> None:
    assert note([LOOKED_UP]) == "suppressed"
    assert note([{**LOOKED_UP, "considered": []}]) == "no_recipient"


def test_a_reduced_recipient_is_listed_with_the_parts_left_out() -> None:
    told = {
        "recipient_ref": "k1.pcp",
        "reasons": ["primary_care"],
        "policy_file": "strict",
        "policy_rule": "hiv-diagnosis",
        "policy_version": "2026-11-26",
        "left_out": ["reason", "diagnosis"],
    }
    assert "policy strict/hiv-diagnosis (2026-11-26): reason, diagnosis" in printed(
        {**LOOKED_UP, "considered": [], "recipients": [told]}
    )


def test_a_recipient_who_is_told_in_full_has_no_line_about_the_policy() -> None:
    told = {"recipient_ref": "k1.pcp", "policy_rule": "otherwise", "left_out": []}
    assert "policy" not in printed({**LOOKED_UP, "considered": [], "recipients": [told]})


def test_a_suppression_at_sending_shows_its_reason() -> None:
    refused = {"action": "SUPPRESSED", "recipient_ref": "k1.pcp", "reasons": ["primary_care"]}
    for because, text in (
        ("RECIPIENT_OFF", "suppressed (recipient off)"),
        ("discarded", "suppressed (discarded)"),
        ("5e" * 16, "suppressed (withdrawn before it was told)"),
    ):
        assert text in printed({**refused, "suppressed_because": because})


def test_who_was_left_out_of_a_colleagues_mail_does_not_show_as_told() -> None:
    """A denial may be filed while the mail waits: the mail goes to the colleague alone."""
    mail: Entry = {"delivery_id": "d" * 32, "time": "2026-11-23T13:12:03.000Z"}
    shared = {"recipient_ref": "k1.b", "reasons": ["care_team"], "told_with": "k1.a"}
    entries: list[Entry] = [
        {"action": "RESOLVED", "recipients": [{"recipient_ref": "k1.a"}, shared]},
        {
            **mail,
            "action": "SUPPRESSED",
            "recipient_ref": "k1.b",
            "suppressed_because": "OPTED_OUT",
        },
        {**mail, "action": "SENT", "recipient_ref": "k1.a"},
    ]
    first, other = recipients(entries)
    assert (first.outcome, other.outcome) == ("sent", "suppressed")
    assert other.suppressed_because == "OPTED_OUT"
    # Without an entry of their own the colleague's mail told them too.
    assert recipients([entries[0], entries[2]])[1].outcome == "sent"
