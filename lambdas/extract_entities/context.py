"""The context of ExtractEntities."""

from dataclasses import dataclass
from functools import cached_property

from lambdas.common.function.context import Context
from lambdas.extract_entities.notes.language import Detector, load_detector
from lambdas.extract_entities.settings import ExtractSettings


@dataclass(frozen=True)
class ExtractContext(Context):
    """The context of every step, with the model that detects a text's language."""

    settings: ExtractSettings

    @cached_property
    def detector(self) -> Detector:
        """The model, loaded at the first text."""
        return load_detector()
