"""`python -m bench.aws_client.measure CLIENT URL CALLS CONCURRENCY FILE [CA]`: measures one client.

It prints a JSON object: processor time in microseconds (user and system time of the process, all threads)
of each of the two calls, and of one signature.
"""

import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import cast

import uvloop

from bench.aws_client.clients.interface import ENTRIES, BenchClient, Endpoint, PutRequest

OWN = "hl7-ens"
CLIENTS = {
    OWN: "own:OwnClient",
    "awscrt": "crt:CrtClient",
    "boto3": "boto3_threads:Boto3Client",
}
_WARM_CALLS, _SIGNATURES = 200, 3000


async def timed(calls: int, concurrency: int, call: Callable[[], Awaitable[None]]) -> float:
    """Makes the calls, so many at a time. Returns the processor time of one in microseconds."""
    left = itertools.count(calls, -1)

    async def worker() -> None:
        while next(left) > 0:
            await call()

    cpu = time.process_time()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return (time.process_time() - cpu) * 1e6 / calls


async def measured(
    client: BenchClient, calls: int, concurrency: int, message: bytes
) -> dict[str, float]:
    """Returns the figures of PutObject and of SendMessageBatch."""
    envelope = json.dumps(
        {"bucket": "bench-vault", "key": "x" * 60, "digest": "k1." + "0" * 32, "bytes": 1}
    )

    async def put() -> None:
        version = await client.put(PutRequest(f"events/{uuid.uuid4().hex}/message.hl7", message))
        assert version.startswith("v"), version

    async def send() -> None:
        entries = [
            {
                "Id": str(number),
                "MessageBody": envelope,
                "MessageGroupId": "g",
                "MessageDeduplicationId": uuid.uuid4().hex,
            }
            for number in range(ENTRIES)
        ]
        assert await client.send(entries) == ENTRIES

    figures = {}
    for name, call in (("PutObject", put), ("SendMessageBatch", send)):
        await timed(_WARM_CALLS, concurrency, call)
        figures[name] = await timed(calls, concurrency, call)
    return figures


def signature_us(sign: Callable[[Endpoint, PutRequest], str], endpoint: Endpoint) -> float:
    """Returns the processor time of one signature of a PutObject, in microseconds."""
    request = PutRequest("events/0123456789abcdef/message.hl7", b"MSH|" * 600)
    assert "Signature=" in sign(endpoint, request)
    began = time.process_time()
    for _ in range(_SIGNATURES):
        sign(endpoint, request)
    return (time.process_time() - began) * 1e6 / _SIGNATURES


async def run(arguments: list[str]) -> dict[str, float]:
    """Returns the figures of one client."""
    name, url, calls, concurrency, file, *ca_file = arguments
    module, _, kind = CLIENTS[name].partition(":")
    imported = import_module(f"bench.aws_client.clients.{module}")
    endpoint = Endpoint(url, ca_file[0] if ca_file else "", int(concurrency))
    client = cast(BenchClient, getattr(imported, kind)(endpoint))
    try:
        figures = await measured(client, int(calls), int(concurrency), Path(file).read_bytes())
    finally:
        client.close()
    if hasattr(imported, "sign"):
        figures["signature"] = signature_us(imported.sign, endpoint)
    return figures


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(sys.argv[1:]))))
