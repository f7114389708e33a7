"""A proxy as some hospitals have it: it passes on every request, and turns away whoever wants to upgrade to a socket."""

import contextlib
import socket
import threading
from typing import Any

REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class NoUpgrade:
    """Listens on a port of its own before the site's."""

    def __init__(self, site: int) -> None:
        self._site = site
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.refused = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> "NoUpgrade":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        for each in (self._door, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the door is closed: the end
            while True:
                browser, _ = self._door.accept()
                self._open.append(browser)
                threading.Thread(target=self._pass, args=[browser], daemon=True).start()

    def _pass(self, browser: socket.socket) -> None:
        """One connection, request by request: a head is looked at before anything of it goes on."""
        with contextlib.suppress(OSError):
            site = socket.create_connection(("127.0.0.1", self._site))
            self._open.append(site)
            threading.Thread(target=self._back, args=[site, browser], daemon=True).start()
            while data := browser.recv(65_536):
                if b"\r\nupgrade:" in data.lower():
                    self.refused += 1
                    browser.sendall(REFUSED)
                    break
                site.sendall(data)
        for each in (browser, site):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _back(self, site: socket.socket, browser: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := site.recv(65_536):
                browser.sendall(data)
            browser.shutdown(socket.SHUT_WR)
