"""The records of disclosures, from the audit's entries."""

from ops.disclosures.records import Fate, disclosures, readings
from ops.events.timeline import WITHDRAWN
from tests.unit.ops.disclosures.entries import (
    EVENT,
    OTHER,
    PROVIDER,
    SECOND_EVENT,
    TOLD,
    entry,
    of_delivery,
    resolved,
)


def test_a_delivered_mail_is_told_at_its_sending_with_relationship_and_rule() -> None:
    (one,) = disclosures(TOLD)
    assert (one.fate, one.time, one.feedback) == (
        Fate.TOLD,
        "2026-03-04T13:12:03.000Z",
        "delivered",
    )
    assert (one.relationships, one.event_kind, one.reference) == (
        ("primary_care",),
        "admission",
        "670F7743",
    )
    assert (one.rule.file, one.rule.rule, one.rule.version) == ("us-federal", "treatment", "3")


def test_a_bounced_mail_is_returned_and_a_delayed_one_still_told() -> None:
    (one,) = disclosures([*TOLD[:2], of_delivery("BOUNCED", 9, detail="Permanent")])
    assert (one.fate, one.because, one.detail) == (Fate.RETURNED, "bounced", "full")
    (one,) = disclosures([*TOLD[:2], of_delivery("DELAYED", 9)])
    assert one.fate is Fate.TOLD


def test_a_mail_whose_return_was_audited_before_its_sending_is_returned() -> None:
    """SES's events and the entry of the sending come from two functions, in any order."""
    bounced, sent = of_delivery("BOUNCED", 2), of_delivery("SENT", 3, detail="full")
    (one,) = disclosures([TOLD[0], bounced, sent])
    assert (one.fate, one.because, one.detail) == (Fate.RETURNED, "bounced", "full")
    # Another mail of a delivery that was sent again.
    (one,) = disclosures([TOLD[0], bounced, sent | {"ses_message_id": "another"}])
    assert one.fate is Fate.TOLD


def test_a_replay_does_not_forget_why_a_mail_was_returned() -> None:
    complained = [*TOLD[:2], of_delivery("COMPLAINED", 9), of_delivery("ALREADY_SENT", 40)]
    (one,) = disclosures(complained)
    assert (one.fate, one.because) == (Fate.RETURNED, "complained")


def test_an_unknown_sending_is_told_once_ses_reports_its_delivery() -> None:
    unknown = [TOLD[0], of_delivery("UNKNOWN", 3)]
    assert disclosures(unknown)[0].fate is Fate.UNKNOWN
    assert disclosures([*unknown, of_delivery("DELAYED", 6)])[0].fate is Fate.UNKNOWN
    assert disclosures([*unknown, of_delivery("DELIVERED", 9)])[0].fate is Fate.TOLD


def test_a_mail_that_may_have_left_stays_a_disclosure_after_it_was_discarded() -> None:
    discarded = of_delivery("SUPPRESSED", 9, suppressed_because="DISCARDED")
    unknown = [TOLD[0], of_delivery("UNKNOWN", 3), of_delivery("RESENT", 5)]
    assert disclosures([*unknown, discarded])[0].fate is Fate.UNKNOWN
    assert disclosures([*unknown, of_delivery("SENT", 7)])[0].fate is Fate.TOLD
    # The mail left while the operator's discard was being audited.
    assert disclosures([*TOLD[:2], discarded])[0].fate is Fate.TOLD


def test_a_notice_withdrawn_before_it_was_told_names_that_and_no_event() -> None:
    (one,) = disclosures([TOLD[0], of_delivery("SUPPRESSED", 3, suppressed_because=SECOND_EVENT)])
    assert (one.fate, one.because) == (Fate.SUPPRESSED, WITHDRAWN)


def test_providers_who_were_considered_and_not_told_show_the_reason_and_the_policys_rule() -> None:
    considered = (
        {"recipient_ref": OTHER, "relationship": "care_team", "reason": "RECIPIENT_OFF"},
        {
            "recipient_ref": PROVIDER,
            "relationship": "primary_care",
            "reason": "PART2_NO_CONSENT",
            "policy_file": "us-federal",
            "policy_rule": "part2",
            "policy_version": "3",
        },
    )
    found = {one.recipient_ref: one for one in disclosures([resolved(considered=considered)])}
    assert (found[OTHER].fate, found[OTHER].because) == (Fate.NOT_CHOSEN, "RECIPIENT_OFF")
    assert (found[PROVIDER].fate, str(found[PROVIDER].rule)) == (
        Fate.SUPPRESSED,
        "us-federal/part2 3",
    )


def test_a_replay_that_finds_the_mail_sent_keeps_its_time() -> None:
    (one,) = disclosures([*TOLD, of_delivery("ALREADY_SENT", 40, detail="full")])
    assert (one.fate, one.time) == (Fate.TOLD, "2026-03-04T13:12:03.000Z")
    # Without the entry of the sending, that of the replay is the only evidence of the mail.
    (one,) = disclosures([TOLD[0], of_delivery("ALREADY_SENT", 40)])
    assert (one.fate, one.time) == (Fate.TOLD, "2026-03-04T13:12:40.000Z")


def test_a_held_notice_shows_its_reason_and_a_refused_one_the_error() -> None:
    (one,) = disclosures([TOLD[0], of_delivery("HELD", 3, hold_reason="quiet")])
    assert (one.fate, one.because, one.detail) == (Fate.WAITING, "quiet", "full")
    (one,) = disclosures([TOLD[0], of_delivery("REFUSED", 3, error_name="DeliveryRefusedError")])
    assert (one.fate, one.because) == (Fate.REFUSED, "DeliveryRefusedError")


def test_one_mail_to_two_doctors_tells_both_also_in_entries_of_earlier_versions() -> None:
    shared = resolved(
        {"recipient_ref": PROVIDER, "reasons": ["primary_care"]},
        {"recipient_ref": OTHER, "reasons": ["care_team"], "told_with": PROVIDER},
    )
    too = of_delivery("TOLD_TOO", 3, recipient_ref=OTHER, told_with=PROVIDER)
    for entries in ([shared, TOLD[1]], [shared, too, TOLD[1]]):
        found = {one.recipient_ref: one for one in disclosures(entries)}
        assert found[OTHER].fate is Fate.TOLD
        assert (found[OTHER].relationships, found[OTHER].told_with) == (("care_team",), PROVIDER)


def test_a_summary_counts_once_for_each_event_in_it_and_never_itself() -> None:
    members = [
        of_delivery("SENT", 5, event_id=event, delivery_id=f"m-{event}", summary_id="summary")
        for event in (EVENT, SECOND_EVENT)
    ]
    itself = of_delivery("SENT", 5, event_id="f" * 32, delivery_id="summary")
    assert [one.event_id for one in disclosures([*members, itself])] == [SECOND_EVENT, EVENT]


def test_readings_of_the_audit_are_no_disclosures() -> None:
    used = entry("AUDIT_LOG_USED", actor="operator:ana", recipient_ref=PROVIDER)
    assert disclosures([used]) == []
    assert [one.actor for one in readings([*TOLD, used])] == ["operator:ana"]
