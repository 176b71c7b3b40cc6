"""Random stories of a stay, as hospitals could send them: each event is possible after those before it."""

import random
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.contracts.encounters.encounter import EncounterClass
from lambdas.track_encounter.message import EncounterMessage
from tests.support.encounters import OBS, E, I, O, U, again, message


@dataclass(slots=True)
class StayStory:
    """The messages of one stay in the order in which they were recorded."""

    chance: random.Random
    messages: list[EncounterMessage] = field(default_factory=list)
    minute: int = 0
    encounter_class: EncounterClass = E
    there: bool = True
    moved: bool = False

    def tell(self, length: int) -> list[EncounterMessage]:
        """A story of so many events."""
        first = self.chance.choice([("A04", E), ("A04", E), ("A01", I), ("A04", OBS), ("A01", E)])
        self.encounter_class = first[1]
        self._add(first[0], first[1], facility="N")
        while len(self.messages) < length:
            self.chance.choice(self._possible())()
        return self.messages

    def _possible(self) -> list[Any]:
        always = [self._update, self._resend]
        if not self.there:
            return [*always, self._take_back_discharge, self._details, self._return]
        moves = [self._bed_move, self._transfer, self._discharge, self._discharge]
        back = [self._take_back_transfer] if self.moved else []
        change = {E: self._admit, OBS: self._admit, I: self._no_inpatient, O: self._discharge}
        return [*always, *moves, *back, change[self.encounter_class], self._take_back_all]

    def _add(self, trigger: str, encounter_class: EncounterClass = U, **stated: Any) -> None:
        self.messages.append(message(trigger, self.minute, encounter_class, **stated))
        self.minute += 10

    def _update(self) -> None:
        self._add("A08", self.encounter_class, attending=self.chance.random() < 0.5)

    def _details(self) -> None:
        self._add("A08", self.encounter_class, disposition="03", discharged_to="SNF77")

    def _resend(self) -> None:
        self.messages.append(again(self.chance.choice(self.messages), f"again-{self.minute}"))
        self.minute += 10

    def _admit(self) -> None:
        self.encounter_class = I
        self._add(self.chance.choice(["A01", "A02", "A06", "A08"]), I)

    def _no_inpatient(self) -> None:
        self.encounter_class = self.chance.choice([O, OBS])
        self._add(self.chance.choice(["A07", "A08"]), self.encounter_class)

    def _bed_move(self) -> None:
        self._add("A02", self.encounter_class, unit=self.chance.choice("ABC"))

    def _transfer(self) -> None:
        self.moved = True
        self._add("A02", self.encounter_class, facility=self.chance.choice("XY"))

    def _take_back_transfer(self) -> None:
        self.moved = False
        self._add("A12", self.encounter_class)

    def _discharge(self) -> None:
        self.there, self.moved = False, False
        said = self.chance.choice([self.encounter_class, O, U])
        self._add("A03", said, disposition="01", died=self.chance.choice([None, None, True]))

    def _take_back_discharge(self) -> None:
        self.there = True
        self._add("A13", died=False)

    def _return(self) -> None:
        died = [one.event.died for one in self.messages if one.event.died is not None]
        if died and died[-1]:
            return self._take_back_discharge()
        self.there, self.encounter_class = True, I
        self._add("A01", I, facility="N")
        return None

    def _take_back_all(self) -> None:
        begins = [one for one in self.messages if one.event.trigger_event in ("A01", "A04", "A06")]
        # After an A11 the stay is over, so that the story goes on with a resend or a new admission.
        if len(begins) == 1 and self.chance.random() < 0.3:
            self.there = False
            self._add("A11")
