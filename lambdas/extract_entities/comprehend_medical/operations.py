"""The operations of Amazon Comprehend Medical that are called, and those of each cost mode."""

from enum import StrEnum

from lambdas.common.contracts.recipients.preferences import CostMode


class Operation(StrEnum):
    """An operation by its name in the API."""

    DETECT_ENTITIES = "DetectEntitiesV2"
    INFER_ICD10CM = "InferICD10CM"
    INFER_RXNORM = "InferRxNorm"


LIMITS = {
    Operation.DETECT_ENTITIES: 20_000,
    Operation.INFER_ICD10CM: 10_000,
    Operation.INFER_RXNORM: 10_000,
}
"""Most bytes of text in one request."""

METHODS = {
    Operation.DETECT_ENTITIES: "detect_entities_v2",
    Operation.INFER_ICD10CM: "infer_icd10_cm",
    Operation.INFER_RXNORM: "infer_rx_norm",
}
"""The methods of boto3's client."""

COST_MODES: dict[CostMode, tuple[Operation, ...]] = {
    CostMode.FULL: (Operation.DETECT_ENTITIES, Operation.INFER_ICD10CM),
    CostMode.CODED: (Operation.INFER_ICD10CM, Operation.INFER_RXNORM),
    CostMode.OFF: (),
}
"""The operations of each mode, the richest first; `coded` costs about a fourteenth of `full`."""
