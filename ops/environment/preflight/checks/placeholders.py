"""Checks that no placeholder is left in the environment's files. Calls no AWS service."""

from collections.abc import Iterator

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning


def check(plan: Plan) -> Iterator[PreflightFinding]:
    """Yields a finding for each placeholder: an error where patients are real, else a warning."""
    found = plan.environment.placeholders()
    report = error if plan.environment.holds_real_patients else warning
    for placeholder in found:
        file, key, to_do = placeholder.split(": ", 2)
        yield report("a placeholder has to be replaced", f"{file}: {key}", to_do)
    if not found:
        yield ok("no placeholder is left", plan.file)
