"""A PostgreSQL server of a test's own, which may be stopped without a goodbye. The shared one never is."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.db import connection

from config.services import pg_bin
from core.acting import ROLE

NAME = "lune"


class Cluster:
    """A new server with a copy of the test's database, on a socket in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lune-pg-"))
        self._as: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--init-groups"]
        self._data = self.folder / "data"
        self._run(pg_bin("initdb"), "-D", str(self._data), "-U", "lune", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()
        here = connection.settings_dict
        self._run(pg_bin("createdb"), "-h", str(self.folder), "-U", "lune", NAME)
        # Roles belong to the server, not to the database: a copy finds its own only where they were made before.
        self._run(pg_bin("psql"), "-q", "-X", "-h", str(self.folder), "-U", "lune", "-d", NAME, "-c", f"CREATE ROLE {ROLE} NOLOGIN")
        with subprocess.Popen(
            [pg_bin("pg_dump"), "-h", here["HOST"], "-U", here["USER"], "--no-owner", here["NAME"]], stdout=subprocess.PIPE
        ) as dump:
            self._run(pg_bin("psql"), "-q", "-X", "-h", str(self.folder), "-U", "lune", "-d", NAME, stdin=dump.stdout)
        assert dump.returncode == 0

    @property
    def environment(self) -> dict[str, str]:
        """For a process of the site that is to use this server."""
        return {"DATABASE_URL": f"postgis:///{self.folder}/{NAME}", "PGUSER": "lune"}

    def start(self) -> None:
        """Returns when the server takes connections again, after whatever it had to recover."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=60"
        self._run(pg_bin("pg_ctl"), "-D", str(self._data), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def kill(self) -> None:
        """An immediate stop: every connection is cut, nothing is written, and the next start recovers from the log."""
        self._run(pg_bin("pg_ctl"), "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command: str, stdin: object = subprocess.DEVNULL) -> None:
        subprocess.run(
            [*self._as, *command],
            cwd=self.folder,
            stdin=stdin,  # type: ignore[arg-type]
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
