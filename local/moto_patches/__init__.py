"""Changes to moto that make it faster and do not change what it answers.

Each module changes one thing, so that it can be proposed to moto as a change of its own.
"""

from local.moto_patches import (
    backends,
    clock,
    definitions,
    ends,
    errors,
    expressions,
    json_paths,
    names,
    registrations,
    serializers,
    task_clients,
    urls,
)

PATCHES = (
    backends,
    clock,
    definitions,
    ends,
    errors,
    expressions,
    json_paths,
    names,
    registrations,
    serializers,
    task_clients,
    urls,
)


def install() -> None:
    """Applies every change to the moto of this process; calling it again changes nothing."""
    for module in PATCHES:
        module.install()
