"""Whether a placeholder is left in the environment's files. Asks AWS nothing."""

from collections.abc import Iterator

from environments.placeholders import placeholders
from ops.preflight.finding import Finding, error, ok, warning
from ops.preflight.plan import Plan


def check(plan: Plan) -> Iterator[Finding]:
    """A finding for each placeholder by file and key; an error in staging and prod, else a warning."""
    found = placeholders(plan.environment)
    report = error if plan.is_strict else warning
    for one in found:
        yield report(one.what, f"{one.file}: {one.key}", f"set {one.key} in {one.file}")
    if not found:
        yield ok("no placeholder is left", plan.file)
