"""Reading from addresses that people outside have named: only public ones, only so much, only so long.

A name is resolved once for each connection, every address that it stands for is checked, and the connection goes to a checked address
itself: what the name stands for a moment later does not matter. The name goes on being what TLS and `Host` are told.
"""

import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from .run import BrokenSource


@dataclass(frozen=True)
class Limits:
    """How much is borne of one answer."""

    answer_bytes: int = 50_000_000
    """Of a page, also after it was unpacked."""
    file_bytes: int = 500_000_000
    """Of a file that is put on disk, also after it was unpacked."""
    seconds: float = 120.0
    """From the first byte sent to the last received, however slowly they drip."""
    quiet_seconds: float = 30.0
    """Without a word from the other side."""
    redirects: int = 5


class BrokenAnswer(BrokenSource):
    """One answer cannot be used; others of the same feed may be."""

    code = "broken-answer"


class Refused(BrokenSource):
    """We do not go there."""

    code = "address-refused"


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is unpacked, and empty unless the status is 200."""

    status: int
    headers: httpx.Headers
    body: bytes


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet at large; also looks inside addresses that wrap an older one."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            wrapped.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inside = [old for old in wrapped if old is not None]
        if inside:
            return all(is_public(str(old)) for old in inside)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[str]:
    """The addresses that a name stands for now."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Refused(f"Nothing is known under the name {host}. Check the address.") from error


class _Timed(httpcore.NetworkStream):
    """A stream whose every read and write ends by the deadline of the answer under way."""

    def __init__(self, stream: httpcore.NetworkStream, backend: "_Pinned") -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout)), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Pinned(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self.deadline = float("inf")
        self._real = httpcore.SyncBackend()

    def left(self, timeout: float | None) -> float:
        """Seconds until the deadline, or `timeout` if that is sooner."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The answer took too long.")
        return left if timeout is None else min(left, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port)
        if not self.allow_private and not all(is_public(address) for address in addresses):
            raise Refused(f"{host} is inside a private network. Use --allow-private if that is meant.")
        problem: Exception = httpcore.ConnectError("The name has no address.")
        for address in dict.fromkeys(addresses):
            try:
                return _Timed(self._real.connect_tcp(address, port, self.left(timeout), local_address, socket_options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        raise Refused("That is not a web address.")


class _Transport(httpx.HTTPTransport):
    def __init__(self, backend: _Pinned) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), max_connections=4, keepalive_expiry=15, network_backend=backend
        )


class Client:
    """One conversation with one publisher. Use as a context manager."""

    def __init__(self, *, allow_private: bool = False, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._backend = _Pinned(allow_private=allow_private)
        self._client = httpx.Client(
            transport=_Transport(self._backend),
            timeout=httpx.Timeout(self.limits.quiet_seconds, connect=min(10.0, self.limits.quiet_seconds)),
            trust_env=False,
            headers={"Accept-Encoding": "gzip", "User-Agent": "Lune (Open Referral UK import)"},
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def get(self, url: str) -> Answer:
        """One answer, held in memory. Raises `BrokenAnswer`, `Refused`, or httpx's errors of a connection that failed."""
        with self._answer(url, "application/json") as response:
            if response.status_code != 200:
                return Answer(response.status_code, response.headers, b"")
            body = bytearray()
            for piece in _unpacked(url, response, self.limits.answer_bytes):
                body += piece
            return Answer(200, response.headers, bytes(body))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Tell an address something; how it answers, and nothing of what it says. Redirects are answers like others. Raises as `get`."""
        self._backend.deadline = time.monotonic() + self.limits.seconds
        _check_scheme(url)
        with self._client.stream("POST", url, content=body, headers={"User-Agent": "Lune", **headers}) as response:
            return response.status_code

    def save(self, url: str, into: IO[bytes]) -> None:
        """Put the file at an address on disk."""
        with self._answer(url, "*/*") as response:
            if response.status_code != 200:
                raise BrokenSource(f"{shown(url)} answered {response.status_code}. Check the address, or try again later.")
            for piece in _unpacked(url, response, self.limits.file_bytes):
                into.write(piece)

    @contextmanager
    def _answer(self, url: str, accept: str) -> Iterator[httpx.Response]:
        """The answer after redirects, each of which is checked as the first address is."""
        asked = url
        self._backend.deadline = time.monotonic() + self.limits.seconds
        try:
            for _ in range(self.limits.redirects + 1):
                _check_scheme(url)
                with self._client.stream("GET", url, headers={"Accept": accept}) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers.get("location", ""))
                        continue
                    yield response
                    return
        except httpx.TimeoutException as error:
            if time.monotonic() < self._backend.deadline:
                raise
            raise BrokenAnswer(f"{shown(asked)} took longer than {self.limits.seconds:g} s to answer. Ask the publisher why.") from error
        except httpx.InvalidURL as error:
            raise Refused(f"{shown(asked)} leads to something that is not a web address.") from error
        raise BrokenAnswer(f"{shown(asked)} redirects too often. Check the address.")


def _check_scheme(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise Refused(f"{shown(url)} is not a web address. It must begin with https:// or http://.")


def _unpacked(url: str, response: httpx.Response, limit: int) -> Iterator[bytes]:
    """The body, unpacked piece by piece, so that a small answer cannot become a huge one unseen."""
    too_long = BrokenAnswer(f"{shown(url)} sent more than {_size(limit)}. Ask the publisher for smaller pages.")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_long
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "deflate"):
        raise BrokenAnswer(f"{shown(url)} is packed in a way that was not asked for. Ask the publisher to send plain or gzip answers.")
    unpack = zlib.decompressobj(wbits=47) if coding in ("gzip", "deflate") else None
    left = limit
    try:
        for piece in response.iter_raw(65_536):
            while piece:
                plain, piece = (piece, b"") if unpack is None else (unpack.decompress(piece, 65_536), unpack.unconsumed_tail)
                left -= len(plain)
                if left < 0:
                    raise too_long
                yield plain
                if unpack is not None and unpack.eof:
                    break
    except zlib.error as error:
        raise BrokenAnswer(f"{shown(url)} is packed badly. Ask the publisher.") from error


def _size(count: int) -> str:
    return f"{count // 1_000_000} MB" if count >= 1_000_000 else f"{count:,} bytes"


def shown(url: str) -> str:
    """An address without user name, password or query, for people to read."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "The address"
