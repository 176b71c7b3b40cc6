"""Installs the judges' tools; with `--findings`, prints every open finding about dev and prod too."""

import sys
import tempfile
from pathlib import Path

from tests.infra.judges import linters, tools

ENVIRONMENTS = ("dev", "prod")


def main() -> None:
    """Ends with 1 when a tool cannot be installed or a finding is open."""
    problems = tools.install()
    if problems or "--findings" not in sys.argv[1:]:
        sys.exit("\n".join(problems) or None)
    from infra.app import build  # here, so that installing does not start jsii

    with tempfile.TemporaryDirectory() as scratch:
        for name in ENVIRONMENTS:
            build(name, scratch, bundle=False)
        folder = Path(scratch)
        found = [*linters.cfn_lint(folder), *linters.checkov(folder).open]
    lines = [f"{one.rule}  {one.stack}  {one.resource}\n    {one.text}" for one in found]
    sys.stdout.write("\n".join([*lines, f"{len(found)} open findings", ""]))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
