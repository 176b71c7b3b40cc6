"""Reads a feed as the system would: the receiver's rules, reading, encounter rules; sends nothing and calls no AWS."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from environments import Environment, Sender
from hl7 import er7
from hl7.charset import codec_of
from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import Decision
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.errors import IdentityConflictError, UnprocessableMessageError
from lambdas.common.senders import SenderProfile, sender_profile
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.parse_message.read_event import PROCESSING_IDS, read_event
from lambdas.registry.npi import is_npi
from lambdas.track_encounter.profile import EncounterProfile, profile_of
from ops.feed.checking.encounters import MAX_ENCOUNTERS, EncounterReplay
from ops.feed.checking.places import Place
from ops.feed.checking.receiver_rules import ReceiverRules, ReceiverVerdict
from ops.feed.checking.tally import DecisionTally, FeedTally, FileTally
from ops.feed.checking.times import moment
from ops.feed.reading.cutting import CutMessage, Cutter
from ops.feed.reading.files import UNREADABLE, FeedFile

OTHER, NONE = "other", "none"
_TYPE = re.compile(r"[A-Z]{3}")
_TRIGGER = re.compile(r"[A-Z]\d\d", re.ASCII)
_VERSION = re.compile(r"2(?:\.\d){0,2}", re.ASCII)


@dataclass(slots=True)
class FeedCheck:
    """Checks a feed, message by message. `tally` holds the counts so far.

    `known` is the sender's file, None for a new sender; `profile` and `encounters` are how the steps read
    it. `started_at` stands for the time of messages before the first readable MSH-7.
    """

    environment: Environment
    name: str
    known: Sender | None
    profile: SenderProfile
    encounters: EncounterProfile
    started_at: datetime
    max_encounters: int = MAX_ENCOUNTERS
    tally: FeedTally = field(init=False)
    _rules: ReceiverRules = field(init=False)
    _replay: EncounterReplay = field(init=False)
    _received_at: str = field(init=False)

    def __post_init__(self) -> None:
        self.tally = FeedTally(self.profile.codes)
        self._rules = ReceiverRules(self.environment, self.known)
        self._replay = EncounterReplay(self.encounters, self.max_encounters)
        self._received_at = iso(self.started_at)

    def read(self, file: FeedFile, advance: Callable[[int], object] = lambda _: None) -> None:
        """Checks the messages of one file. A file that cannot be read to its end is counted as unreadable.

        `advance` gets the number of bytes of each message.
        """
        files, cutter, number = self.tally.files, Cutter(), 0
        files.files += 1
        try:
            with file.open() as stream:
                for number, piece in enumerate(cutter.pieces(stream), start=1):
                    self._check(piece, Place(file.number, number))
                    advance(piece.size)
        except UNREADABLE:
            files.unreadable.add(Place(file.number, number))
        else:
            if not number:
                files.without_messages.add(Place(file.number, 0))
        _count_file(files, cutter, Place(file.number, number))

    def _check(self, piece: CutMessage, place: Place) -> None:
        tally = self.tally
        result = self._rules.check(piece)
        if result.is_acknowledgement:
            tally.acknowledgements += 1
            return
        tally.messages += 1
        self._count_header(piece, result, place)
        if result.reason or result.header is None:
            tally.files.rejected_bytes += piece.size
            tally.rejected.add(result.reason, place)
            tally.rejection_texts[result.reason] = result.text
            return
        tally.files.message_bytes += piece.size
        tally.accepted += 1
        if tally.control_ids.is_copy(result.header, result.event_id, place):
            return
        try:
            self._run(piece.message, result, place)
        except (UnprocessableMessageError, IdentityConflictError) as error:
            # Its text names a position and never a value.
            tally.dead_letters.add(f"{type(error).__name__}: {error}", place)
        except Exception as error:
            tally.dead_letters.add(f"a fault of hl7-ens: {type(error).__name__}", place)

    def _run(self, raw: bytes, result: ReceiverVerdict, place: Place) -> None:
        """Reads the message and decides about its event, as ParseMessage and TrackEncounter do."""
        event = read_event(
            raw,
            result.event_id,
            self.name,
            self.profile.zone,
            codes=self.profile.codes,
            date_order=self.profile.date_order,
            received_at=self._received_at,
        )
        message = er7.read(raw)
        sent_at = moment(event.message_time)
        self._received_at = iso(sent_at) if sent_at else self._received_at
        self._count_event(message, event, place)
        self._count_decision(self._replay.decide(event, self._received_at), event, place)
        self.tally.forgotten_encounters = self._replay.memory.forgotten

    def _count_header(self, piece: CutMessage, result: ReceiverVerdict, place: Place) -> None:
        tally = self.tally
        tally.terminators.add(_terminator(piece.message), place)
        if result.header is None:
            return
        letterhead = result.header.letterhead
        kind, trigger = letterhead.message_type, letterhead.trigger_event
        named = _named(kind, known=_TYPE.fullmatch(kind) is not None)
        tally.types.add(f"{named}^{trigger}" if _TRIGGER.fullmatch(trigger) else named, place)
        tally.origins.add(result.header, place)
        processing_id = letterhead.processing_id
        known = processing_id in PROCESSING_IDS
        tally.processing_ids.add(_named(processing_id, known=known), place)

    def _count_event(self, message: er7.Message, event: PatientEvent, place: Place) -> None:
        tally = self.tally
        tally.warn(event.warnings, place)
        version = message.first("MSH").code(12)
        tally.versions.add(_named(version, known=_VERSION.fullmatch(version) is not None), place)
        declared = message.header.letterhead.declared_character_sets[0]
        named = _named(declared, known=bool(codec_of(declared)))
        tally.character_sets.add(f"{named} read as {message.escapes.codec}", place)
        tally.fields.add(message, event, place)
        tally.times.add(message, event, place)
        tally.coded.add(message, event, place, self._replay.patient(event))
        if self.known and event.patient.identifiers:
            usable, _ = usable_identifiers(event.patient.identifiers, self.profile.authorities)
            if not usable:
                tally.not_assertable.add(place)
        if self.profile.is_test_patient(event.patient):
            tally.test_patients.add(place)
        attending = [one for one in event.practitioners if one.field == "PV1-7"]
        tally.attending += bool(attending)
        tally.attending_npi += any(is_npi(one.identifier) for one in attending)

    def _count_decision(self, decision: Decision, event: PatientEvent, place: Place) -> None:
        found = self.tally.decisions.setdefault(event.trigger_event or NONE, DecisionTally())
        found.messages += 1
        for kind in dict.fromkeys(notice.kind for notice in decision.notices):
            found.told.add(kind, place)
        if not decision.notices:
            found.silent.add(decision.reason or OTHER, place)
        for doubt in decision.warnings:
            self.tally.doubts.add(doubt, place)


def new_check(environment: Environment, name: str, known: Sender | None) -> FeedCheck:
    """A check that begins now."""
    values = asdict(known) if known else {}
    # As the configuration document has them: without empty values.
    entry = {key: value for key, value in values.items() if value}
    return FeedCheck(
        environment,
        name,
        known,
        sender_profile(entry),
        profile_of(name, entry),
        datetime.now(UTC),
    )


def _named(code: str, *, known: bool) -> str:
    """A code that may be shown; `other` for one that is not known, `none` where none was sent."""
    if known:
        return code
    return OTHER if code else NONE


def _count_file(files: FileTally, cutter: Cutter, place: Place) -> None:
    files.forms[cutter.form] += 1
    files.total_bytes += cutter.total
    files.batch_segments += cutter.batch_segments
    files.empty_frames += cutter.empty_frames
    if cutter.batch_segments:
        files.batches.add(place._replace(message=0))
    if cutter.inside_lines:
        files.behind_text.add(place)


def _terminator(message: bytes) -> str:
    """The line ends of a message: CR as the standard has it, or what else was used."""
    pairs, returns, feeds = message.count(b"\r\n"), message.count(b"\r"), message.count(b"\n")
    found = {
        "CR LF": pairs,
        "CR": returns - pairs,
        "LF": feeds - pairs,
    }
    used = [name for name, count in found.items() if count]
    if len(used) > 1:
        return "mixed"
    return used[0] if used else "one segment"
