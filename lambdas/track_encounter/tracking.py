"""Finds a message's encounter, decides, and writes encounter and decision together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from lambdas.common.contracts.encounters.encounter import Decision, Effect, Encounter, Phase
from lambdas.common.errors import DependencyUnavailableError
from lambdas.encounters.store import (
    ConflictError,
    EncounterStore,
    Read,
    StoredEncounter,
    Summary,
    Write,
)
from lambdas.track_encounter.closing import due_of
from lambdas.track_encounter.history import BEGINS, Situation, situation_of
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.rules import QUIET, decide, precedes_its_move, same_patient
from lambdas.track_encounter.triggers import CANCELS

ATTEMPTS = 5
"""Tries of one message whose encounter others write at the same time."""

MERGES = 4
"""Merges in a row that are followed, of an identifier that was merged into one that was merged."""

RENUMBERING = (Effect.CHANGE_NUMBER, Effect.MOVE_TO_PATIENT, Effect.MERGE_PATIENT)
"""Effects of messages that name an encounter by its prior number (MRG-3, MRG-5, MRG-6)."""

NAMES_A_PATIENT = (*BEGINS, *QUIET, Effect.UPDATE)
"""Effects of messages that may be about the patient alone, or begin another stay."""

Found = StoredEncounter | None


def track(
    store: EncounterStore,
    message: EncounterMessage,
    profile: EncounterProfile,
    now: Callable[[], datetime],
) -> Decision:
    """Returns the decision about the message; the same one when the message was decided before.

    Raises `IdentityConflictError` when the encounter belongs to another patient, and
    `DependencyUnavailableError` when others kept writing the encounter.
    """
    for _ in range(ATTEMPTS):
        read = store.read(message.event.event_id, _keys(message))
        if read.decision:
            return read.decision
        write = _write(store, read, message, profile, now())
        try:
            store.write(write)
        except ConflictError:
            continue
        return write.decision
    raise DependencyUnavailableError("encounters: the encounter kept changing")


def _keys(message: EncounterMessage) -> tuple[str, ...]:
    """The keys under which the message's encounter may be found."""
    prior = message.prior_patient_keys if message.event.effect is Effect.MERGE_PATIENT else ()
    return *message.keys.all, *message.prior_keys.all, *prior


def _write(
    store: EncounterStore,
    read: Read,
    message: EncounterMessage,
    profile: EncounterProfile,
    now: datetime,
) -> Write:
    known = _with_merged(store, _find(message, read.encounters), message)
    if known and message.event.effect is Effect.MERGE_PATIENT:
        # A merge is about two patients. A number of a third one must not keep it from being recorded.
        known = known if same_patient(known.encounter, message) else None
    if known and _names_patient_alone(read, message) and not same_patient(known.encounter, message):
        known = None  # a move gave the patient's last stay to another one
    after, decision = decide(known.encounter if known else None, message, profile, now)
    links = _links(message)
    if after is None:
        return Write(decision=decision, links=links)
    same = known is not None and known.encounter.encounter_id == after.encounter_id
    left_behind = known.encounter.encounter_id if known and not same else ""
    new = _new_keys(after, message, read.encounters, left_behind)
    if same and known and precedes_its_move(known.encounter, message):
        new = _NewKeys()
    home = known.home if same and known else next(iter(new.homes), f"own#{after.encounter_id}")
    replaced = read.encounters.get(home)
    aliases = [key for key in new.fixed if key != home]
    after = replace(
        after,
        version=after.version + 1,
        keys=tuple(dict.fromkeys((*after.keys, home, *aliases, *new.moving))),
    )
    situation = situation_of(after.events)
    return Write(
        decision=replace(decision, encounter_key=home),
        encounter=after,
        home=home,
        summary=_summary(after, situation),
        due=due_of(after, situation, _loading(profile, message), message.received_at),
        aliases=aliases,
        moved_aliases=new.moving,
        replaces=None if same else replaced,
        links=links,
    )


def _find(message: EncounterMessage, encounters: Mapping[str, StoredEncounter]) -> Found:
    """The encounter that the message's numbers name, the strongest number first.

    A message with an unknown visit number begins an encounter of its own, also where its account is
    known: an account may have several visits. A cancellation or discharge begins nothing, so any number
    of the encounter is enough. One exception: a discharge with a visit number does not end the stay under
    another visit number merely because both began at the same time.
    """
    effect, keys, prior = message.event.effect, message.keys, message.prior_keys
    numbers = (*prior.visit, *prior.account) if effect in RENUMBERING else ()
    if found := _first((*numbers, *keys.visit), encounters):
        return found
    account = _first(keys.account, encounters)
    weaker = account or _first(keys.patient_time, encounters)
    if weaker and keys.visit and effect not in CANCELS and not (account and effect is Effect.END):
        named = any(key.startswith("visit#") for key in weaker.encounter.keys)
        return None if named else weaker
    if weaker or keys.visit or keys.account:
        return weaker
    return _newest_of_patient(message, encounters)


def _first(keys: tuple[str, ...], encounters: Mapping[str, StoredEncounter]) -> Found:
    return next((encounters[key] for key in keys if key in encounters), None)


def _newest_of_patient(
    message: EncounterMessage, encounters: Mapping[str, StoredEncounter]
) -> Found:
    """The newest encounter of the patient, for a message without any number of an encounter."""
    merged = message.prior_patient_keys if message.event.effect is Effect.MERGE_PATIENT else ()
    found = _first((*merged, *message.keys.patient), encounters)
    if found is None or message.event.effect not in BEGINS:
        return found
    situation = situation_of(found.encounter.events)
    over = situation.phase is Phase.CANCELLED or (
        situation.end is not None and message.event.at > situation.end.at
    )
    return None if over else found


def _names_patient_alone(read: Read, message: EncounterMessage) -> bool:
    """Whether a message has no number of a stay, so that its stay was found by the patient's identifier."""
    keys = message.keys
    numbered = keys.visit or keys.account or _first(keys.patient_time, read.encounters)
    return not numbered and message.event.effect in NAMES_A_PATIENT


def _with_merged(store: EncounterStore, found: Found, message: EncounterMessage) -> Found:
    """The encounter with the patient key of the message, where a merge made both one patient."""
    if found is None or not found.encounter.patient_keys or not message.patient_keys:
        return found
    known, named = found.encounter.patient_keys, message.patient_keys
    if set(known) & set(named) or message.event.effect is Effect.MOVE_TO_PATIENT:
        return found
    if not _reached(store, known) & _reached(store, named):
        return found
    merged = replace(found.encounter, patient_keys=tuple(dict.fromkeys((*known, *named))))
    return replace(found, encounter=merged)


def _reached(store: EncounterStore, keys: tuple[str, ...]) -> set[str]:
    """The keys and those that they were merged into, `MERGES` merges in a row at most.

    Every key on the way counts: an identifier that was changed and changed back has no last one.
    """
    reached, newest = set(keys), set(keys)
    for _ in range(MERGES):
        newest = set(store.merged_into(newest).values()) - reached
        if not newest:
            break
        reached |= newest
    return reached


def _links(message: EncounterMessage) -> dict[str, str]:
    """The merged identifiers (MRG-1), each with the surviving one (PID-3), under the same key."""
    if message.event.effect is not Effect.MERGE_PATIENT or not message.patient_keys:
        return {}
    survivors = {key.split(".")[0]: key for key in reversed(message.patient_keys)}
    return {
        prior: survivors[prior.split(".")[0]]
        for prior in message.prior_patient_keys
        if prior not in message.patient_keys and prior.split(".")[0] in survivors
    }


@dataclass(slots=True)
class _NewKeys:
    """The keys of the message that its encounter does not have yet.

    `homes` may be the key of the encounter's item, `fixed` belong to one encounter for good, `moving`
    lead to the newest one.
    """

    homes: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)


def _new_keys(
    encounter: Encounter,
    message: EncounterMessage,
    encounters: Mapping[str, StoredEncounter],
    left_behind: str,
) -> _NewKeys:
    """`left_behind` is the id of another patient's encounter that had the number before."""
    keys, new = message.keys, _NewKeys()
    for key in (*keys.written("visit"), *keys.written("patient_time")):
        stored = encounters.get(key)
        mine = stored is not None and stored.encounter.encounter_id == encounter.encounter_id
        if mine and key in encounter.keys:
            continue
        if stored is None or mine or key == stored.home:
            new.homes.append(key)
        if stored is None or mine:
            new.fixed.append(key)
        elif stored.encounter.encounter_id == left_behind and key != stored.home:
            new.moving.append(key)
    # The number or identifier that survives a merge keeps the encounter that it has.
    survives = message.event.effect in (Effect.CHANGE_NUMBER, Effect.MERGE_PATIENT)
    for key in (*keys.written("account"), *keys.written("patient")):
        stored = encounters.get(key)
        mine = stored is not None and stored.encounter.encounter_id == encounter.encounter_id
        if stored is None or not (mine or survives):
            new.moving.append(key)
    return new


def _summary(encounter: Encounter, situation: Situation) -> Summary:
    """The attributes by which the encounters of a patient are compared."""
    first = situation.begin or encounter.events[0]
    ended = situation.end or situation.death if situation.phase is Phase.LEFT else None
    return Summary(
        phase=situation.phase,
        began_at=min(event.at or event.order for event in (first, *encounter.events)),
        ended_at=ended.at if ended else "",
        classes=situation.classes,
        facility=situation.facts.facility,
        disposition=situation.facts.disposition,
        discharged_to=situation.facts.discharged_to,
        protected=encounter.marks.protect_the_visit,
    )


def _loading(profile: EncounterProfile, message: EncounterMessage) -> EncounterProfile:
    """The sender's profile; one that loads where the message itself says so."""
    return replace(profile, load=True) if message.load else profile
