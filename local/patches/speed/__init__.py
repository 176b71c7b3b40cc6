"""Changes that make moto faster and do not change what it answers; `install` applies those of botocore too.

Each function that takes the place of one of moto's can be proposed to moto as a change of its own.
"""

from local.patches import botocore
from local.patches.speed import core, kms, ses, sqs, stepfunctions
from local.patches.speed.dynamodb.direct import handler as dynamodb_direct
from local.patches.speed.s3 import objects

PATCHES = (botocore, core, dynamodb_direct, kms, objects, ses, sqs, stepfunctions)


def install() -> None:
    """Applies every change in this process; calling it again changes nothing."""
    for module in PATCHES:
        module.install()
