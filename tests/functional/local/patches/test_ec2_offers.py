"""moto imported with one region's offers answers for this region as before, and for others with none."""

import subprocess
import sys

PROGRAM = """
from local.patches import ec2_offers
import sys
if "changed" in sys.argv:
    ec2_offers.install()
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
zones = INSTANCE_TYPE_OFFERINGS["availability-zone"]
print(len(INSTANCE_TYPES), len(zones["us-east-1"]), len(zones["eu-central-1"]) > 0)
"""


def printed(*arguments: str) -> list[str]:
    """The words that the program prints in an interpreter of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_the_offers_of_the_local_region_are_read_and_no_others() -> None:
    types, here, elsewhere = printed()
    assert (int(types) > 0, int(here) > 0, elsewhere) == (True, True, "True")
    assert printed("changed") == [types, here, "False"]
