"""The sentences at the head of a letter: late receipt, new details, the stay now, flags of earlier stays."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from lambdas.common.contracts.encounters.encounter import Change, EncounterClass, Phase
from lambdas.common.contracts.encounters.stay_flags import EarlierStay, FlagKind, StayFlag
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.plausible import is_plausible
from lambdas.common.sensitive_codes import categories_of_words
from lambdas.delivery.letter.facts import withdraws
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import Words
from lambdas.delivery.letter.words.times import counted, in_words
from lambdas.delivery.letter.words.unlinked import letter_text
from lambdas.delivery.letter.words.wording import changes_of, decided_notice

PRESENT = (Phase.IN, Phase.SEEN)


def remarks(told: Told, zone: ZoneInfo | None, words: Words) -> list[str]:
    """The sentences that a reader must not miss, in the order of their weight."""
    return [
        *late(told, zone, words),
        *_from_emergency(told.event, words),
        *_new_details(told.event, words),
        *_now(told.event, words),
        *flag_sentences(told.flags, zone, words),
        *_times_left_out(told, words),
    ]


def late(told: Told, zone: ZoneInfo | None, words: Words) -> Iterator[str]:
    """The remark that the hospital's message came long after its event, with the time."""
    notice = decided_notice(told.event)
    if notice and notice.late and notice.at and told.received_at:
        passed = datetime.fromisoformat(told.received_at) - datetime.fromisoformat(notice.at)
        yield words.remarks.late.format(
            moment=in_words(told.received_at, zone, words),
            days=counted(max(1, passed.days), words.time.day_old),
        )


def flag_sentences(flags: Iterable[StayFlag], zone: ZoneInfo | None, words: Words) -> Iterator[str]:
    """Each flag with the earlier stays that it rests on."""
    for flag in flags:
        visits = "; ".join(_stay(stay, stay.began_at, zone, words) for stay in flag.stays)
        newest = flag.stays[-1] if flag.stays else None
        if flag.kind is FlagKind.FREQUENT_EMERGENCY:
            yield words.flags[flag.kind].format(count=flag.count, visits=visits)
        elif newest:
            # Nobody decided whether this recipient may know the kind of that place.
            named = categories_of_words(newest.discharged_to)
            to = "" if named else letter_text(newest.discharged_to)
            yield words.flags[flag.kind].format(
                stay=_stay(newest, newest.ended_at, zone, words), to=f" ({to})" if to else ""
            )


def _stay(stay: EarlierStay, moment: str, zone: ZoneInfo | None, words: Words) -> str:
    """The hospital and the day of an earlier stay."""
    place = letter_text(stay.hospital or stay.facility) or words.remarks.another_hospital
    local = moment[:10]
    if moment and zone:
        local = datetime.fromisoformat(moment).astimezone(zone).date().isoformat()
    return f"{place}, {in_words(local, None, words)}" if local else place


def _from_emergency(patient_event: PatientEvent, words: Words) -> Iterator[str]:
    """The remark that a patient who is admitted or observed came from the emergency department of the same stay."""
    decision = patient_event.decision
    begins = (EventKind.ADMISSION, EventKind.OBSERVATION)
    if decision is None or patient_event.event_kind not in begins:
        return
    if EncounterClass.EMERGENCY in decision.classes[:-1]:
        yield words.remarks[f"from_emergency_{patient_event.event_kind}"]


def _new_details(patient_event: PatientEvent, words: Words) -> Iterator[str]:
    details = [words.changes.get(one) for one in changes_of(patient_event)]
    if patient_event.event_kind is EventKind.UPDATE and any(details):
        yield words.remarks.new_details.format(details=", ".join(filter(None, details)))


def _now(patient_event: PatientEvent, words: Words) -> Iterator[str]:
    """The facts of the stay after a withdrawal; nothing of a stay that was another patient's."""
    decision = patient_event.decision
    if decision is None or not withdraws(patient_event):
        return
    if Change.PATIENT in changes_of(patient_event):
        return
    state = "" if decision.phase is None else str(decision.phase)
    if decision.phase in PRESENT:
        state = str(decision.facts.encounter_class)
    if said := words.now.get(state):
        yield said


def _times_left_out(told: Told, words: Words) -> Iterator[str]:
    event = told.event
    times = (
        event.occurred_at,
        event.event_time(),
        event.visit.admitted_at,
        event.visit.discharged_at,
        event.patient.died_at,
    )
    if not all(is_plausible(one, told.received_at, event.patient.birth_date) for one in times):
        yield words.remarks.implausible
