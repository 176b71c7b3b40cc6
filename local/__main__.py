"""`python -m local`: prepares botocore, and then starts the whole system."""

import sys

from local.patches import botocore


def main() -> int:
    """The exit status of the local system."""
    # Before moto is imported: each of its modules makes a session to list the regions.
    botocore.install()
    from local.run.command import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
