"""Relays a port of this computer to another one and delays what the server answers: `relay.py PORT SERVER-PORT MS`.

It does not read what it relays, so it costs little; each piece of an answer waits on its own, as behind a network.
"""

import asyncio
import sys

HOST = "127.0.0.1"
PIECE_BYTES = 1 << 18


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    delay = float(sys.argv[3]) / 1000
    from_server, to_server = await asyncio.open_connection(HOST, int(sys.argv[2]))
    loop = asyncio.get_running_loop()

    async def forward() -> None:
        while piece := await reader.read(PIECE_BYTES):
            to_server.write(piece)
            await to_server.drain()
        to_server.close()

    async def answer() -> None:
        while piece := await from_server.read(PIECE_BYTES):
            loop.call_later(delay, writer.write, piece)
        loop.call_later(delay, writer.close)

    await asyncio.gather(forward(), answer(), return_exceptions=True)


async def main() -> None:
    """Serve until ended."""
    server = await asyncio.start_server(relay, HOST, int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
