"""Sockets that watch and read beside the one that is timed, in a process of their own as browsers are."""

import asyncio
import sys
from typing import Any

from websockets.asyncio.client import connect


async def main(address: str, origin: Any, count: int, hello: str) -> None:
    ready = asyncio.Semaphore(0)

    async def one() -> None:
        async with connect(address, origin=origin, compression=None) as socket:
            if hello:
                await socket.send(hello)
            ready.release()
            async for _ in socket:
                pass

    crowd = [asyncio.create_task(one()) for _ in range(count)]
    for _ in crowd:
        await ready.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*crowd)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
