"""Changes that make botocore faster: anywhere, and towards a server on this machine.

Sandboxes load this package too, without the rest of `local`: it imports botocore and `patching` alone.
"""

from local.patches.botocore import (
    attempts,
    attribute_values,
    endpoints,
    json_bodies,
    sessions,
    transport,
    user_agents,
)


def install() -> None:
    """Applies the changes that hold for every server; calling it again changes nothing."""
    sessions.install()
    user_agents.install()


def install_for_loopback() -> None:
    """Applies `install`, and the changes to requests for the loopback address; again changes nothing."""
    install()
    attempts.install()
    attribute_values.install()
    endpoints.install()
    json_bodies.install()
    transport.install()
