"""Reads the client's address from PROXY protocol headers, version 2 (HAProxy, proxy-protocol.txt, 2.2)."""

import asyncio
import socket
import struct

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_MAX_HEADER_BYTES = 4096


class ProxyHeaderError(Exception):
    """Raised when a connection does not begin with a header of version 2."""


async def read_client_address(connection: socket.socket) -> str:
    """Returns the client's address from the header, and leaves the bytes after it in the socket.

    Returns "" for the load balancer's own connections (health checks). Raises `ProxyHeaderError`.
    """
    head = await _read(connection, 16)
    if head[:12] != _SIGNATURE:
        raise ProxyHeaderError
    command, family, length = struct.unpack("!BBH", head[12:])
    if command not in (_LOCAL, _PROXY) or length > _MAX_HEADER_BYTES:
        raise ProxyHeaderError
    addresses = await _read(connection, length)
    if command == _LOCAL:
        return ""
    if family == _TCP4 and length >= 12:
        return socket.inet_ntop(socket.AF_INET, addresses[:4])
    if family == _TCP6 and length >= 36:
        return socket.inet_ntop(socket.AF_INET6, addresses[:16])
    return ""


async def _read(connection: socket.socket, count: int) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while len(data) < count:
        part = await loop.sock_recv(connection, count - len(data))
        if not part:
            raise ProxyHeaderError
        data += part
    return data
