"""Checks that the region offers Comprehend Medical where notes are sent to it. Asks AWS nothing.

AWS General Reference, "Amazon Comprehend Medical endpoints and quotas", as botocore has it.
"""

from collections.abc import Iterator

from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok


def check(plan: Plan) -> Iterator[PreflightFinding]:
    """An error where the region has no Comprehend Medical and `cost_mode` is not `off`."""
    # Without a session, which would look for the profile in AWS_PROFILE.
    endpoints = EndpointResolver(create_loader().load_data("endpoints"))
    offered = sorted(endpoints.get_available_endpoints("comprehendmedical"))
    if plan.environment.analyses_notes and plan.region not in offered:
        yield error(
            f"Comprehend Medical does not exist in {plan.region}: no note could be read",
            f"{plan.file}: cost_mode",
            f'set cost_mode = "off", or region to one of {", ".join(offered)}',
        )
    else:
        yield ok(f"the region {plan.region} has what the settings need")
