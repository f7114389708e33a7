"""Real processes and a browser's half of the protocol, for tests of live updates."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from core.events import publish

BASE_DIR = Path(__file__).resolve().parents[2]
#: Seconds until a test gives up. Generous: nothing here asserts how fast a thing is.
PATIENCE = 180.0
#: `prctl` option of Linux.
PR_SET_PDEATHSIG = 1
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def eventually(check: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The first true answer of `check`, asked again and again."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"It never came true: {what}.")


def _die_with_us() -> None:
    """In a new process: be killed when the test process ends, however it does. A relay that lived on would serve the next run's tests."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program that the test started, and may kill."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name, self._command, self._env, self._log = name, command, env, log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(self._command, cwd=BASE_DIR, env=self._env, stdout=log, stderr=log, preexec_fn=_die_with_us)

    def kill(self) -> None:
        """As a power cut would: no goodbye."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(10)
            self._running = None

    def stop(self) -> int:
        """As an operator would. Returns the exit code."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        code = self._running.wait(10)
        self._running = None
        return code

    @property
    def lives(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


class Stack:
    """A Redis, a web process and a relay of the test's own, on the test's database, unless the environment names another."""

    def __init__(self, environment: dict[str, str] | None = None, application: str = "tests.stack.server:application") -> None:
        self.browsers: list[Browser] = []
        self.folder = Path(tempfile.mkdtemp(prefix="lune-live-"))
        redis_socket = self.folder / "redis.sock"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        database = connection.settings_dict["NAME"]
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "LUNE_DB": database,
            "LUNE_TEST_DB": database,
            "REDIS_URL": f"unix://{redis_socket}",
            "LUNE_STATIC_KNOWN": "true",
            **(environment or {}),
        }
        redis = ["redis-server", "--port", "0", "--unixsocket", str(redis_socket), "--save", "", "--dir", str(self.folder)]
        web = ["-m", "uvicorn", application, "--port", str(self.port), "--lifespan", "off", "--ws", "notifications.served:Served"]
        self.redis = Process("redis", redis, env, self.folder / "redis.log")
        self.web = Process("web", [sys.executable, *web], env, self.folder / "web.log")
        self.relay = Process("relay", [sys.executable, "manage.py", "relay"], env, self.folder / "relay.log")
        self.standby = Process("standby", [sys.executable, "manage.py", "relay"], env, self.folder / "standby.log")

    def start(self) -> None:
        """Start whatever is not running, and wait until the relay is heard by the web process."""
        for process in (self.redis, self.web, self.relay):
            if not process.lives:
                process.start()
        browser = Browser(self)
        browser.until(lambda: browser.live, "the relay is heard by the web process")

    def settle(self) -> None:
        """Wait until the web process has its place in the journal, which the end of the last test emptied.

        A row settles only when no older transaction is open in the whole cluster, so tests beside this one hold it up.
        """
        with transaction.atomic():
            marker = publish("test.begins", topics=["test"])
        marker.refresh_from_db()
        browser = Browser(self)
        browser.until(lambda: browser.cursor == marker.cursor, "the web process knows of all there is")

    def close_browsers(self) -> None:
        while self.browsers:
            self.browsers.pop().close()

    def close(self) -> None:
        self.close_browsers()
        for process in (self.web, self.relay, self.standby, self.redis):
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Browser:
    """What `frontend/src/live.js` does, without a screen: greatest version wins, the cursor is kept, a lost socket comes back."""

    def __init__(self, stack: Stack, user: Any = None, pools: Any = (), topics: Any = (), cursor: str | None = None) -> None:
        self._origin = f"http://127.0.0.1:{stack.port}"
        self._url = f"ws://127.0.0.1:{stack.port}/live/"
        self._headers: dict[str, str] = {}
        if user is not None:
            self.session = Client()
            self.session.force_login(user, backend=BACKEND)
            self._headers["Cookie"] = f"sessionid={self.session.cookies['sessionid'].value}"
        self._wanted = {"action": "watch", "pools": [str(pool) for pool in pools], "topics": list(topics)}
        self._socket: ClientConnection | None = None
        self._closing = contextlib.ExitStack()
        stack.browsers.append(self)
        self.cursor = cursor
        self.pools: dict[str, dict[str, Any]] = {}
        self.versions: list[tuple[str, int]] = []
        self.topics: list[str] = []
        self.kinds: list[str] = []
        self.errors: list[str] = []
        self.heard = ""
        self.live = False
        self.close_code: int | None = None

    def open(self) -> "Browser":
        """Connect, watch, and wait for the answer."""
        before = len(self.kinds)
        self.until(lambda: any(kind in ("snapshot", "events") for kind in self.kinds[before:]), "the watch is answered")
        return self

    def send(self, text: str) -> None:
        assert self._socket is not None
        self._socket.send(text)

    def close(self) -> None:
        self._closing.close()
        self._socket = None

    def until(
        self,
        check: Callable[[], Any],
        what: str,
        patience: float = PATIENCE,
        back_off: Callable[[int], float] = lambda attempt: 0.1,
    ) -> None:
        """Read, reconnecting when need be, until `check` is true. `back_off` says how long to wait before which try to connect again."""
        deadline, attempt = time.monotonic() + patience, 0
        while not check():
            assert time.monotonic() < deadline, f"It never came true: {what}. Last said: {self.heard[-2000:]}"
            try:
                self._read(0.25)
                attempt = 0
            except (ConnectionClosed, InvalidHandshake, OSError, EOFError) as error:
                self.live = False
                if isinstance(error, ConnectionClosed) and error.rcvd is not None:
                    self.close_code = error.rcvd.code
                    if self.close_code == 4401:
                        continue
                self._socket = None
                time.sleep(back_off(attempt))
                attempt += 1

    def settle(self, seconds: float = 0.6) -> None:
        """Read whatever still comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(0.1)

    def _read(self, seconds: float) -> None:
        if self._socket is None:
            self.close()
            opening = connect(self._url, origin=self._origin, additional_headers=self._headers, open_timeout=10)  # type: ignore[arg-type]
            self._socket = self._closing.enter_context(opening)
            self._socket.send(json.dumps({**self._wanted, "cursor": self.cursor}))
        with contextlib.suppress(TimeoutError):
            self._hear(str(self._socket.recv(timeout=seconds)))

    def _hear(self, text: str) -> None:
        self.heard += text + "\n"
        message = json.loads(text)
        self.kinds.append(message["kind"])
        if message["kind"] == "error":
            self.errors.append(message["code"])
            return
        self.cursor = message["cursor"]
        for pool, state in message.get("pools", {}).items():
            self.versions.append((pool, state["version"]))
            if pool not in self.pools or state["version"] >= self.pools[pool]["version"]:
                self.pools[pool] = state
        self.topics += message.get("topics", [])
        if message["kind"] == "heartbeat":
            self.live = message["live"]
