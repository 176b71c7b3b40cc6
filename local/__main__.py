"""`python -m local`: prepares botocore, and then starts the whole system."""

import sys

from local import botocore_patches

# Before moto is imported: each of its modules makes a session to list the regions.
botocore_patches.install()

from local.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
