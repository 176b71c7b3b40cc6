"""`python -m bench.receiver.peers.python_hl7 PORT [frames]`: python-hl7's asyncio MLLP server.

As its documentation shows it: `readmessage` parses, `create_ack` answers. With `frames` it takes the
block unparsed and answers with the cheapest ACK there is, which is the most that library allows.
"""

import asyncio
import sys

from bench.receiver.peers.storing import HOST, Storing, raw_acknowledgement

# The library's package has the name of this repository's own: look for it there last.
sys.path.append(sys.path.pop(0))
from hl7.mllp import (  # type: ignore[attr-defined]
    HL7StreamReader,
    HL7StreamWriter,
    start_hl7_server,
)


async def serve(port: int, *, frames_only: bool) -> None:
    """Serves until the process is ended."""
    storing = Storing()

    async def take(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while not writer.is_closing():
                if frames_only:
                    block = await reader.readblock()
                    await asyncio.to_thread(storing.store, block)
                    writer.writeblock(raw_acknowledgement(block))
                else:
                    message = await reader.readmessage()
                    await asyncio.to_thread(storing.store, str(message).encode())
                    writer.writemessage(message.create_ack())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await start_hl7_server(
        take, host=HOST, port=port, encoding="utf-8", limit=1 << 20, backlog=1024
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), frames_only="frames" in sys.argv[2:]))
