"""`python -m local`: prepares botocore and moto, and then starts the whole system."""

import gc
import sys

from local.patches import botocore, ec2_offers


def main() -> int:
    """The exit status of the local system."""
    # Nothing that is loaded becomes garbage: traversing it again and again would take half a second.
    gc.disable()
    # Before moto is imported: each of its modules makes a session to list the regions.
    botocore.install()
    ec2_offers.install()
    from local.run.command import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
