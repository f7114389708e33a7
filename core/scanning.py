"""Looking through files for viruses, by whoever the site has set up: one interface, and clamd behind it.

`LUNE_SCANNER` names the scanner: `tcp://host:port` or `unix:///path/of/the/socket` of a clamd; empty: there is none, which pages say.
The protocol is that of clamd(8): `zINSTREAM`, then blocks of a length (4 bytes, the highest first) and as many bytes, then a length of 0.
"""

import socket
import struct
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: Seconds without a word after which a scanner counts as away.
PATIENCE = 60
BLOCK = 64 * 1024
#: An answer is one line.
LONGEST_ANSWER = 4096


class ScannerAway(Exception):
    """The scanner could not be asked, or said nothing that can be relied on. The file is as unknown as before."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanner said. `finding` is empty when it found nothing."""

    finding: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.finding


class Scanner(Protocol):
    """Whatever looks through a file."""

    def scan(self, file: Any) -> Verdict:
        """What it finds in all of `file`, which is open for reading bytes. Raises ScannerAway."""


def scanner() -> Scanner | None:
    """The site's scanner; None where none is set up. Raises ImproperlyConfigured for an address that is none."""
    if not settings.SCANNER:
        return None
    address = urlsplit(settings.SCANNER)
    if address.scheme == "tcp" and address.hostname and address.port:
        return Clamd((address.hostname, address.port))
    if address.scheme == "unix" and address.path:
        return Clamd(address.path)
    raise ImproperlyConfigured("LUNE_SCANNER is tcp://host:port or unix:///path of a clamd.")


class Clamd:
    """ClamAV's daemon, by its INSTREAM command: it needs no access to our files."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        self.address = address

    def scan(self, file: Any) -> Verdict:
        """Send the file and read the one line of the answer."""
        try:
            with self._connected() as link:
                said = self._ask(link, file)
        except OSError as error:
            raise ScannerAway(f"clamd cannot be asked: {type(error).__name__}") from error
        if said == "stream: OK":
            return Verdict()
        if said.startswith("stream: ") and said.endswith(" FOUND"):
            return Verdict(said.removeprefix("stream: ").removesuffix(" FOUND")[:120] or "something harmful")
        # Also “INSTREAM size limit exceeded. ERROR”: nothing is known of such a file.
        raise ScannerAway("clamd answered that it could not scan the file")

    def _connected(self) -> socket.socket:
        if isinstance(self.address, tuple):
            return socket.create_connection(self.address, timeout=PATIENCE)
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(PATIENCE)
        try:
            link.connect(self.address)
        except OSError:
            link.close()
            raise
        return link

    def _ask(self, link: socket.socket, file: Any) -> str:
        try:
            link.sendall(b"zINSTREAM\0")
            while block := file.read(BLOCK):
                link.sendall(struct.pack("!I", len(block)) + block)
            link.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it stops listening when a file is too large, and says so
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < LONGEST_ANSWER:
            more = link.recv(LONGEST_ANSWER)
            if not more:
                break
            answer += more
        if not answer.endswith(b"\0"):
            raise ConnectionError("the answer broke off")
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
