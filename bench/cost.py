"""`python -m bench.cost [FILE …]`: prints the price of notes in each cost mode, in billed units.

Messages are read by ParseMessage's and ExtractEntities' own code, and findings are the local
stand-in's, so nothing is sent or paid. FILE is a message (`.hl7`) that is measured beside the
project's samples and the held-out notes.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.errors import UnprocessableMessageError
from lambdas.extract_entities.comprehend_medical.chunks import chunks
from lambdas.extract_entities.comprehend_medical.comprehend import UNIT
from lambdas.extract_entities.comprehend_medical.operations import COST_MODES, LIMITS
from lambdas.extract_entities.findings import CurrentFindings, found
from lambdas.extract_entities.notes.notes import Piece, Reading, reading, sources
from lambdas.parse_message.read_event import read_event
from ops.comprehend_cost import PRICES
from simulators.comprehend_medical.answers import detect_entities_v2, infer_icd10cm, infer_rxnorm

ROOT = Path(__file__).resolve().parents[1]
ASK = {
    "DetectEntitiesV2": detect_entities_v2,
    "InferICD10CM": infer_icd10cm,
    "InferRxNorm": infer_rxnorm,
}
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One set in one mode: units and price over the whole set, and what was found."""

    units: int
    usd: float
    conditions: int
    medications: int
    others: int


def main(files: Sequence[str]) -> None:
    """Prints a row for each set and mode, and what a million of the held-out notes would cost."""
    held_out = _held_out()
    sets = {"sample messages": _samples(), "held-out notes": held_out}
    sets.update({Path(name).name: _messages([Path(name)]) for name in files})
    print(f"{'set':22} {'texts':>5} {'chars':>6} {'mode':6} {'units':>6} {'USD a text':>10}  found")
    for name, texts in sets.items():
        for mode in COST_MODES:
            sums = measured(texts, mode)
            mean = sum(len(text.text) for text in texts) / len(texts)
            print(
                f"{name:22} {len(texts):5} {mean:6.0f} {mode:6} {sums.units:6}"
                f" {sums.usd / len(texts):10.5f}  {sums.conditions} conditions,"
                f" {sums.medications} medications, {sums.others} tests and procedures"
            )
    print("\nA million events, each with a note like the held-out ones, USD:")
    for mode in COST_MODES:
        each = measured(held_out, mode).usd / len(held_out)
        print(
            f"  {mode:6} someone told of each {each * MILLION:9.0f}, of a third {each * MILLION / 3:9.0f}"
        )


def measured(texts: Iterable[Reading], mode: CostMode) -> Measured:
    """The sums over the texts in a mode."""
    units, usd, results = 0, 0.0, []
    for text in texts:
        for operation in COST_MODES[mode]:
            billed = sum(
                max(1, -(-len(piece.text) // UNIT))
                for piece in chunks(text.text, LIMITS[operation])
            )
            units += billed
            usd += billed * PRICES[operation]
        results.append(_found(text, mode))
    return Measured(
        units,
        usd,
        sum(len(result.conditions) for result in results),
        sum(len(result.medications) for result in results),
        sum(len(result.tests) + len(result.procedures) for result in results),
    )


def _found(text: Reading, mode: CostMode) -> CurrentFindings:
    asked = COST_MODES[mode]
    entities = {name: ASK[name](text.text)["Entities"] if name in asked else [] for name in ASK}
    return found(
        text, entities["DetectEntitiesV2"], entities["InferICD10CM"], entities["InferRxNorm"]
    )


def _samples() -> list[Reading]:
    return _messages(sorted((ROOT / "samples").glob("*.hl7")))


def _messages(files: Iterable[Path]) -> list[Reading]:
    """The texts of those messages that can be read and hold any."""
    texts = []
    for file in files:
        try:
            pieces, _ = sources(read_event(file.read_bytes(), file.stem))
        except UnprocessableMessageError:
            continue
        texts.append(reading(pieces))
    return [text for text in texts if text.text]


def _held_out() -> list[Reading]:
    folder = ROOT / "bench" / "clinical" / "held_out" / "notes"
    notes = [json.loads(file.read_text())["text"] for file in sorted(folder.glob("*.json"))]
    return [reading([Piece("OBX[1]-5", note)]) for note in notes]


if __name__ == "__main__":
    main(sys.argv[1:])
