"""A virus scanner that speaks clamd's INSTREAM as its manual has it, and is as strict: what is not in the manual gets its error."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: The test file of EICAR, in two halves, so that no scanner takes this module for it.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STAND" + rb"ARD-ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd:
    """Answers one command for each connection. `largest` is its StreamMaxLength; `sulks` has it close without a word."""

    def __init__(self, largest: int = 1_000_000) -> None:
        self.largest = largest
        self.sulks = False
        self.seen: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            with link:
                link.settimeout(5)
                if not self.sulks:
                    link.sendall(self._answer(link).encode() + b"\0")

    def _answer(self, link: socket.socket) -> str:
        if self._exactly(link, 10) != b"zINSTREAM\0":
            return "UNKNOWN COMMAND"
        data = b""
        while (length := struct.unpack("!I", self._exactly(link, 4))[0]) > 0:
            if len(data) + length > self.largest:
                link.shutdown(socket.SHUT_RD)
                return "INSTREAM size limit exceeded. ERROR"
            data += self._exactly(link, length)
        self.seen.append(data)
        return "stream: Eicar-Test-Signature FOUND" if EICAR in data else "stream: OK"

    def _exactly(self, link: socket.socket, many: int) -> bytes:
        got = b""
        while len(got) < many:
            more = link.recv(many - len(got))
            if not more:
                raise ConnectionError("broke off")
            got += more
        return got

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@contextmanager
def running(**options: int) -> Iterator[FakeClamd]:
    """One that listens until the end of the block."""
    fake = FakeClamd(**options)
    thread = threading.Thread(target=fake.serve)
    thread.start()
    try:
        yield fake
    finally:
        fake.close()
        thread.join(10)
