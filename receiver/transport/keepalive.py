"""TCP keepalive: a silent connection stays known to balancers and VPNs, a dead one is found out."""

import socket

# A Network Load Balancer forgets a silent connection after 350 s; a probe before that keeps it.
_IDLE, _INTERVAL, _PROBES = 120, 30, 4

_OPTIONS = (
    ("TCP_KEEPIDLE", _IDLE),  # Linux
    ("TCP_KEEPALIVE", _IDLE),  # macOS
    ("TCP_KEEPINTVL", _INTERVAL),
    ("TCP_KEEPCNT", _PROBES),
)


def keep_alive(connection: socket.socket) -> None:
    """Switches probes on, with the times above where the platform lets them be set."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
