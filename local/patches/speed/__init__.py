"""Changes that make moto faster and do not change what it answers; `install` applies those of botocore too.

Each module changes one thing, so that it can be proposed to moto as a change of its own.
"""

from local.patches import botocore
from local.patches.speed.core import (
    accounts,
    backends,
    errors,
    names,
    registrations,
    request_ids,
    urls,
)
from local.patches.speed.dynamodb.direct import handler as dynamodb_direct
from local.patches.speed.kms import private_keys
from local.patches.speed.s3 import objects
from local.patches.speed.ses import headers
from local.patches.speed.sqs import clock
from local.patches.speed.stepfunctions import definitions, json_paths, task_clients, threads

PATCHES = (
    botocore,
    *(accounts, backends, errors, names, registrations),
    *(request_ids, urls),
    dynamodb_direct,
    *(private_keys, objects, headers, clock),
    *(definitions, json_paths, task_clients, threads),
)


def install() -> None:
    """Applies every change in this process; calling it again changes nothing."""
    for module in PATCHES:
        module.install()
