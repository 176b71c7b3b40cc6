"""Checks that the region offers the services that AWS does not offer in all regions. Asks AWS nothing.

AWS General Reference, "Service endpoints and quotas", as botocore has it.
"""

from collections.abc import Iterator

from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok

EVERYWHERE_NEEDED = {"pipes": "EventBridge Pipes", "email": "SES"}
"""By the prefix of their endpoints: the services without which no environment runs."""


def check(plan: Plan) -> Iterator[PreflightFinding]:
    """An error for a service that the region lacks, Comprehend Medical only where `cost_mode` is not `off`."""
    # Without a session, which would look for the profile in AWS_PROFILE.
    endpoints = EndpointResolver(create_loader().load_data("endpoints"))
    needed = {name: set(endpoints.get_available_endpoints(name)) for name in EVERYWHERE_NEEDED}
    usable = set.intersection(*needed.values())
    absent = [EVERYWHERE_NEEDED[name] for name, known in needed.items() if plan.region not in known]
    if absent:
        yield error(
            f"{plan.region} has no {' and no '.join(absent)}: CloudFormation refuses the stacks",
            f"{plan.file}: region",
            f"set region to one of {', '.join(sorted(usable))}",
        )
    offered = sorted(usable.intersection(endpoints.get_available_endpoints("comprehendmedical")))
    if plan.environment.analyses_notes and plan.region not in offered:
        yield error(
            f"Comprehend Medical does not exist in {plan.region}: no note could be read",
            f"{plan.file}: cost_mode",
            f'set cost_mode = "off", or region to one of {", ".join(offered)}',
        )
    elif not absent:
        yield ok(f"the region {plan.region} has what the settings need")
