"""The records of the registry: patients, providers, and care relationships."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hl7.warnings import MessageWarning
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import RelationshipType

NPI_AUTHORITY = "NPI"
"""The authority under which the registry files National Provider Identifiers."""


ROSTER_SOON = 14
"""Days before its last one from which a roster ends soon, and is said to."""


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """A patient as the registry knows them; `birth_date` is YYYY-MM-DD, "" where unknown.

    `former_families` are maiden and earlier surnames; `merged_into` is the survivor of a merge.
    """

    patient_id: str = field(repr=False)
    family: str = field(repr=False, default="")
    given: str = field(repr=False, default="")
    birth_date: str = field(repr=False, default="")
    sex: str = field(repr=False, default="")
    former_families: tuple[str, ...] = field(repr=False, default=())
    merged_into: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Match:
    """The one patient whom an index found, and which identifiers named them.

    `merged_from` are ids that the index has merged into this patient since they were given out.
    """

    record: PatientRecord = field(repr=False)
    matched_on: tuple[str, ...] = ()
    merged_from: tuple[str, ...] = field(repr=False, default=())
    warnings: tuple[MessageWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The events of which a provider wants to be told. An empty tuple lets every event through."""

    notify: bool = True
    event_kinds: tuple[EventKind, ...] = ()
    patient_classes: tuple[str, ...] = ()
    facilities: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Absence:
    """The provider's surrogate, and the days (YYYY-MM-DD) on which that one is told instead.

    A surrogate without days is the fallback for a failed address only.
    """

    surrogate: str = field(repr=False, default="")
    away_from: str = ""
    away_until: str = ""

    def holds(self, today: str) -> bool:
        """Whether they are away on a day; never without both days."""
        return bool(self.away_from) and self.away_from <= today <= self.away_until


@dataclass(frozen=True, slots=True)
class Preferences:
    """A provider's preferences; the members of `contracts.recipients.recipient.Recipient` of the same names."""

    detail: DetailLevel = DetailLevel.FULL
    analysis: CostMode = CostMode.FULL
    certificate: str = field(repr=False, default="")
    language: str = "en"
    bundle: bool = False
    digest_at: str = ""
    quiet: str = ""
    time_zone: str = ""


PREFERENCE_TEXTS = (
    "detail",
    "analysis",
    "certificate",
    "language",
    "digest_at",
    "quiet",
    "time_zone",
)
"""The members of `Preferences` that are texts in the registry's items and files."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider and the one address to which the registry lets us write; "" where it has none."""

    provider_id: str = field(repr=False)
    name: Name = field(repr=False, default=Name())
    npi: str = field(repr=False, default="")
    address: str = field(repr=False, default="")
    active: bool = True
    facility: bool = False
    event_filter: EventFilter = EventFilter()
    absence: Absence = Absence()
    preferences: Preferences = Preferences()


@dataclass(frozen=True, slots=True)
class Relationship:
    """A provider's relationship with the patient: its types, and whether it is current.

    `roster_until` is the last day on which the provider's roster holds the patient, "" for none.
    `by_event`: the event relates them, and not the registry.
    """

    provider_id: str = field(repr=False)
    types: tuple[RelationshipType, ...] = ()
    active: bool = True
    roster_until: str = ""
    by_event: bool = False

    def current(self, today: str) -> tuple[RelationshipType, ...]:
        """The ways in which they care for the patient on a day; none when all have ended."""
        types = self.types if self.active else ()
        on_roster = self.roster_until >= today if self.roster_until else False
        subscriber = RelationshipType.SUBSCRIBER
        return (*types, *((subscriber,) if on_roster and subscriber not in types else ()))

    def joined(self, earlier: "Relationship") -> "Relationship":
        """The relationship with a surviving patient, and with one merged into them: what the first lacks, types or roster."""
        own = self if self.types else earlier
        return replace(own, roster_until=self.roster_until or earlier.roster_until)

    def roster_ends(self, today: str) -> str:
        """The roster's last day where that is soon, and then nothing else relates them; else ""."""
        if not self.roster_until or (self.active and self.types):
            return ""
        soon = (date.fromisoformat(today) + timedelta(days=ROSTER_SOON)).isoformat()
        return self.roster_until if today <= self.roster_until <= soon else ""
