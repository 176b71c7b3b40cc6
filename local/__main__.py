"""`python -m local`: prepares botocore, and then starts the whole system."""

import sys

from local.patches import botocore

# Before moto is imported: each of its modules makes a session to list the regions.
botocore.install()

from local.run.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
