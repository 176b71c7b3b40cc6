"""Derives from audit entries who was told what, and who was not. Pure.

One record for each delivery, and for each provider who was considered and has no delivery. Entries of
several events may come in any order. Members that an older version did not write are "".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lambdas.common.contracts.audit import AuditAction
from lambdas.common.contracts.recipients.policy import SuppressionReason
from ops.events.timeline import Entry, suppression_of


class Fate(StrEnum):
    """The last known state of a disclosure. RETURNED: sent, and bounced, rejected or complained about."""

    TOLD = "told"
    RETURNED = "returned"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    NOT_CHOSEN = "not chosen"
    CHOSEN = "not tried"


DISCLOSED = frozenset({Fate.TOLD, Fate.RETURNED, Fate.UNKNOWN})
"""The fates of mails that left, or may have left."""

FATES = {
    AuditAction.SENT: Fate.TOLD,
    AuditAction.ALREADY_SENT: Fate.TOLD,
    AuditAction.TOLD_TOO: Fate.TOLD,
    AuditAction.UNKNOWN: Fate.UNKNOWN,
    AuditAction.HELD: Fate.WAITING,
    AuditAction.RESENT: Fate.WAITING,
    AuditAction.REFUSED: Fate.REFUSED,
    AuditAction.FAILED: Fate.FAILED,
    AuditAction.SUPPRESSED: Fate.SUPPRESSED,
    AuditAction.WITHHELD: Fate.SUPPRESSED,
}
RETURNS = frozenset({AuditAction.BOUNCED, AuditAction.COMPLAINED, AuditAction.REJECTED})
FEEDBACK = RETURNS | {AuditAction.DELIVERED, AuditAction.DELAYED}
CHOICES = frozenset({AuditAction.RESOLVED, AuditAction.NO_RECIPIENT})

OF_POLICY = frozenset(SuppressionReason)
"""The reasons for which a policy suppresses a notice."""


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """The policy rule behind a decision: file, rule, version, and the patient's consent where one counted."""

    file: str = ""
    rule: str = ""
    version: str = ""
    consent_id: str = ""
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.file, self.rule, self.version, self.consent_id, self.left_out))

    def __str__(self) -> str:
        name = "/".join(filter(None, (self.file, self.rule)))
        return f"{name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One notice of an event to one recipient, or the reason why there was none. Moments are ISO 8601, UTC.

    `time` is that of the mail, else of the decision. `relationships` are the reasons of the choice.
    `because` is a reason code or an error; `feedback` the last report of SES (`delivered`, `bounced` …)
    with its time. `told_with` is the recipient whose mail told this one too.
    """

    time: str
    event_id: str
    recipient_ref: str
    fate: Fate
    event_kind: str = ""
    sender: str = ""
    patient_ref: str = ""
    encounter_ref: str = ""
    relationships: tuple[str, ...] = ()
    because: str = ""
    channel: str = ""
    detail: str = ""
    reduced: str = ""
    rule: AppliedRule = AppliedRule()
    delivery_id: str = ""
    told_with: str = ""
    summary_id: str = ""
    feedback: str = ""
    feedback_time: str = ""
    ses_message_id: str = ""

    @property
    def reference(self) -> str:
        """The reference that the provider's notice shows (lambdas/delivery/letter/facts.py)."""
        return self.event_id[:8].upper()


@dataclass(frozen=True, slots=True)
class AuditReading:
    """A reading of the audit by a person: time and actor."""

    time: str
    actor: str


@dataclass(slots=True)
class _Recipient:
    """A recipient of one event: the choice, and the deliveries by id."""

    choice: Disclosure | None = None
    deliveries: dict[str, Disclosure] = field(default_factory=dict)


def disclosures(entries: Iterable[Entry]) -> list[Disclosure]:
    """Returns the records of these entries by time. A delivery replaces the choice that led to it."""
    found: dict[tuple[str, str], _Recipient] = {}
    summaries = set()
    for entry in sorted(entries, key=lambda one: (one["time"], one.get("sk", ""))):
        summaries.add(entry.get("summary_id", ""))
        action = entry["action"]
        if action in CHOICES:
            for choice in _choices(entry):
                at = (choice.event_id, choice.recipient_ref)
                found.setdefault(at, _Recipient()).choice = choice
        elif entry.get("recipient_ref") and (action in FATES or action in FEEDBACK):
            at = (entry["event_id"], entry["recipient_ref"])
            _add(found.setdefault(at, _Recipient()), entry)
    records = (one for at in found for one in _records(found, at))
    # A summary is audited in a chain of its own, and once more in the chain of each event that it tells.
    whole = [one for one in records if not one.delivery_id or one.delivery_id not in summaries]
    return sorted(whole, key=lambda one: (one.time, one.event_id, one.recipient_ref))


def readings(entries: Iterable[Entry]) -> list[AuditReading]:
    """Returns the readings of the audit among these entries, by time."""
    used = (one for one in entries if one["action"] == AuditAction.AUDIT_LOG_USED)
    return sorted(
        (AuditReading(one["time"], one["actor"]) for one in used), key=lambda one: one.time
    )


def merged_from(entries: Iterable[Entry]) -> set[str]:
    """Returns the references of the patients that were merged into the one of these entries."""
    return {reference for one in entries for reference in one.get("merged_from") or ()}


def _records(found: dict[tuple[str, str], _Recipient], at: tuple[str, str]) -> Iterator[Disclosure]:
    """The records of one recipient of one event."""
    recipient = found[at]
    choice = recipient.choice
    if recipient.deliveries:
        for one in recipient.deliveries.values():
            yield _with_choice(one, choice)
    elif choice is not None:
        mail = found.get((at[0], choice.told_with)) if choice.told_with else None
        # Before TOLD_TOO was audited, the mail to the other one is the only trace.
        for one in mail.deliveries.values() if mail else ():
            yield replace(
                _with_choice(one, choice),
                recipient_ref=choice.recipient_ref,
                relationships=choice.relationships,
                told_with=choice.told_with,
            )
        if not (mail and mail.deliveries):
            yield choice


def _with_choice(delivery: Disclosure, choice: Disclosure | None) -> Disclosure:
    """The delivery with what its own entries lack."""
    if choice is None:
        return delivery
    names = ("event_kind", "sender", "patient_ref", "relationships", "detail", "rule")
    missing = {name: getattr(choice, name) for name in names if not getattr(delivery, name)}
    return replace(delivery, **missing)


def _choices(entry: Entry) -> Iterator[Disclosure]:
    base = {
        "time": entry["time"],
        "event_id": entry["event_id"],
        "event_kind": entry.get("event_kind", ""),
        "sender": entry.get("sender", ""),
        "patient_ref": entry.get("patient_ref", ""),
    }
    of_patient = (one for one in entry.get("recipients") or () if not one.get("other_patient"))
    for told in of_patient:
        yield Disclosure(
            **base,
            recipient_ref=told["recipient_ref"],
            fate=Fate.CHOSEN,
            relationships=tuple(told.get("reasons") or ()),
            detail=told.get("detail", ""),
            told_with=told.get("told_with", ""),
            rule=_rule(told),
        )
    for refused in entry.get("considered") or ():
        yield Disclosure(
            **base,
            recipient_ref=refused["recipient_ref"],
            # The reasons of a policy are about disclosure, the others are the registry's.
            fate=Fate.SUPPRESSED if refused["reason"] in OF_POLICY else Fate.NOT_CHOSEN,
            relationships=(refused["relationship"],),
            because=refused["reason"],
            rule=_rule(refused),
        )


def _add(recipient: _Recipient, entry: Entry) -> None:
    """Takes one entry of a delivery in."""
    key = entry.get("delivery_id") or ""
    action = entry["action"]
    before = recipient.deliveries.get(key)
    now = before or Disclosure(
        entry["time"], entry["event_id"], entry["recipient_ref"], Fate.CHOSEN
    )
    facts = {
        name: entry[name]
        for name in (
            *("event_kind", "sender", "patient_ref", "encounter_ref", "channel", "reduced"),
            *("told_with", "summary_id", "ses_message_id", "delivery_id"),
        )
        if entry.get(name)
    }
    if action in FEEDBACK:
        returned = action in RETURNS
        arrived = now.fate is Fate.UNKNOWN and action != AuditAction.DELAYED
        fate = Fate.RETURNED if returned else Fate.TOLD if arrived else now.fate
        facts |= {"fate": fate, "feedback": action.lower(), "feedback_time": entry["time"]}
        if returned:
            facts["because"] = action.lower()
    else:
        fate = FATES[action]
        if now.fate in DISCLOSED and fate not in DISCLOSED:
            return  # A mail that left, or may have left, is a disclosure, whatever came later.
        repeated = action == AuditAction.ALREADY_SENT and before is not None
        # SES's report of this mail may be written before the mail's own entry.
        same_mail = (entry.get("ses_message_id") or "") == now.ses_message_id
        known = now.fate is Fate.RETURNED and same_mail
        if not (repeated or known):
            facts |= {"time": entry["time"], "fate": fate, "because": _because(entry, fate)}
        facts["detail"] = entry.get("detail") or now.detail
        facts["relationships"] = tuple(entry.get("reasons") or now.relationships)
        facts["rule"] = _rule(entry) or now.rule
    recipient.deliveries[key] = replace(now, **facts)


def _because(entry: Entry, fate: Fate) -> str:
    """The reason of a state other than told, as a code or an error; "" for one that was told."""
    match fate:
        case Fate.SUPPRESSED:
            return suppression_of(entry)
        case Fate.WAITING:
            return entry.get("hold_reason") or ""
        case Fate.REFUSED | Fate.FAILED:
            return entry.get("error") or entry.get("error_name") or ""
    return ""


def _rule(members: Entry) -> AppliedRule:
    return AppliedRule(
        file=members.get("policy_file") or "",
        rule=members.get("policy_rule") or "",
        version=str(members.get("policy_version") or ""),
        consent_id=members.get("consent_id") or "",
        left_out=tuple(members.get("left_out") or ()),
    )
