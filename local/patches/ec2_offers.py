"""Read the offers of EC2 of the local region alone, when moto is imported.

moto's EC2, which its CloudFormation imports, reads the instance types that are offered in every region:
half a second. It answers none for other regions now. Has to be installed before moto's EC2 is imported.
"""

from pathlib import PurePath
from typing import Any

from moto.utilities import utils

from local.aws.clients import REGION
from local.patches.patching import replace

_load = utils.load_resource


def install() -> None:
    """Changes what this process's moto reads; calling it again changes nothing."""
    replace(utils, "load_resource", _loaded)


def _loaded(resource: str) -> Any:
    """The content of a file of moto's; an empty list for the offers of another region."""
    path = PurePath(resource)
    if "instance_type_offerings" in path.parts and not path.name.startswith(f"{REGION}."):
        return []
    return _load(resource)
