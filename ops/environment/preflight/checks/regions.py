"""Checks that the region offers Comprehend Medical where notes are sent to it. Asks AWS nothing.

AWS General Reference, "Amazon Comprehend Medical endpoints and quotas", as botocore has it.
"""

from collections.abc import Iterator

import boto3

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok


def check(plan: Plan) -> Iterator[PreflightFinding]:
    """An error where the region has no Comprehend Medical and `cost_mode` is not `off`."""
    offered = sorted(boto3.Session().get_available_regions("comprehendmedical"))
    if plan.environment.analyses_notes and plan.region not in offered:
        yield error(
            f"Comprehend Medical does not exist in {plan.region}: no note could be read",
            f"{plan.file}: cost_mode",
            f'set cost_mode = "off", or region to one of {", ".join(offered)}',
        )
    else:
        yield ok(f"the region {plan.region} has what the settings need")
