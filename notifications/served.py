"""How uvicorn serves our sockets (`--ws notifications.served:Served`): as its own class does, and with a way to write a ready frame.

ASGI sends one message to one socket, through a coroutine for each layer between; to tell a thousand pages of one change that is a
thousand times the same work. `websockets.broadcast` shows the remedy: the frame is made once, and written where the socket is ready for it.
Under another server, or another class, the extension is not there and all goes by ASGI.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: In `scope["extensions"]`: a function that writes a frame at once, or says that it cannot.
EXTENSION = "lune.put"


class Served(WebSocketsSansIOProtocol):
    """One socket, whose application may also write frames directly."""

    async def run_asgi(self) -> None:
        """Run the application, with the extension in its scope."""
        self.scope["extensions"] = {**(self.scope["extensions"] or {}), EXTENSION: self._put}  # type: ignore[dict-item]
        await super().run_asgi()

    def _put(self, frame: bytes) -> bool:
        """Write a whole frame, when the socket is open and everything before it has left; otherwise nothing is written."""
        open_ = self.handshake_complete and not (self.close_sent or self.disconnected or self.transport.is_closing())
        if not open_ or self.transport.get_write_buffer_size():
            return False
        self.transport.write(frame)
        return True
