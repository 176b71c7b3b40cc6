"""TCP keepalive: keeps idle connections open in load balancers and VPNs, and detects dead peers."""

import socket

# A Network Load Balancer drops a TCP connection after 350 s without data (Elastic Load Balancing,
# "Network Load Balancers: idle timeout"), so probes start after 120 s.
_IDLE, _INTERVAL, _PROBES = 120, 30, 4

_OPTIONS = (
    ("TCP_KEEPIDLE", _IDLE),  # Linux
    ("TCP_KEEPALIVE", _IDLE),  # macOS
    ("TCP_KEEPINTVL", _INTERVAL),
    ("TCP_KEEPCNT", _PROBES),
)


def keep_alive(connection: socket.socket) -> None:
    """Turns keepalive probes on, with the times above where the platform has these options."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
