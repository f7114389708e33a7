"""The least that could carry a message from a Redis channel to sockets: one bare `websockets` server, no framework."""

import asyncio
import sys

from redis import asyncio as redis
from websockets.asyncio.server import ServerConnection, broadcast, serve

CHANNEL = "lune-bench-floor"


async def main(redis_socket: str, port: int) -> None:
    sockets: set[ServerConnection] = set()

    async def hold(socket: ServerConnection) -> None:
        sockets.add(socket)
        try:
            await socket.wait_closed()
        finally:
            sockets.discard(socket)

    async with serve(hold, "127.0.0.1", port), redis.Redis(unix_socket_path=redis_socket).pubsub() as heard:
        await heard.subscribe(CHANNEL)
        async for message in heard.listen():
            if message["type"] == "message":
                broadcast(sockets, message["data"].decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
