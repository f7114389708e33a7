"""The project's own PostgreSQL (with PostGIS) and Redis: made, started and stopped under `var/`.

Nothing outside the checkout is touched: both listen on sockets of their own, on no network port. Standard library only,
so that it runs before anything is installed. `python3 config/services.py start|stop|status|destroy`, or
`python3 config/services.py during COMMAND …`, which starts what is not running, runs the command, and stops what it started.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parents[1]
VAR = BASE_DIR / "var"
#: A Unix socket's path may have 107 bytes; PostgreSQL's file name takes about 20 of them.
LONGEST_SOCKET_FOLDER = 85


def as_root() -> bool:
    return os.geteuid() == 0


def reachable_by_others(folder: Path) -> bool:
    """Whether an unprivileged user could enter every folder on the way."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def short_enough(folder: Path) -> bool:
    return len(os.fsencode(folder / "run")) <= LONGEST_SOCKET_FOLDER


def elsewhere() -> Path:
    """A folder outside the checkout that belongs to this checkout alone."""
    name = f"lune-{hashlib.sha256(os.fsencode(BASE_DIR)).hexdigest()[:10]}"
    if as_root():
        return Path("/var/lib") / name
    at_home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / name
    return at_home if short_enough(at_home) else Path("/var/tmp") / f"{name}-{os.geteuid()}"  # noqa: S108 - made 0700, owner checked


def state_dir() -> Path:
    """`var/`, unless the servers could not live there (a root-only folder, or a path too long for a socket).

    The settings read the choice from `var/state-dir`. It is worked out anew each time, because the pointer of a copied
    or moved checkout names another checkout's servers.
    """
    VAR.mkdir(exist_ok=True)
    pointer = VAR / "state-dir"
    if short_enough(VAR) and (not as_root() or reachable_by_others(BASE_DIR)):
        pointer.unlink(missing_ok=True)
        return VAR
    chosen = elsewhere()
    if not pointer.exists() or pointer.read_text().strip() != str(chosen):
        pointer.write_text(f"{chosen}\n")
        print(f"services: {VAR} cannot hold the servers' sockets; using {chosen}")
    return chosen


STATE = state_dir()
RUN, DATA, LOG = STATE / "run", STATE / "postgres", STATE / "log"
#: Present while the servers run because a command needed them, not because somebody started them.
ON_DEMAND = RUN / "started-by-a-command"


def service_user() -> list[str]:
    """A prefix that drops root's rights: PostgreSQL refuses to run as root."""
    if not as_root():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [*service_user(), *command],
        cwd=RUN,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if check and result.returncode:
        sys.exit(f"services: {' '.join(command)} failed:\n{result.stdout}")
    return result


def pg_bin(name: str) -> str:
    """The newest installed PostgreSQL server's program. A client alone on the PATH is not enough."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name.split(".")[0]), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists():
            return str(folder / name)
    found = shutil.which(name)
    if not found:
        sys.exit("services: PostgreSQL's server is not installed. Run `make setup`.")
    return found


def prepare() -> None:
    """Make the folders, for the user that the servers run as."""
    STATE.mkdir(parents=True, exist_ok=True, mode=0o755 if as_root() or STATE == VAR else 0o700)
    if not as_root() and STATE.stat().st_uid != os.geteuid():
        sys.exit(f"services: {STATE} belongs to another user. Work as that user, or in a clone of your own.")
    for folder in (RUN, LOG, DATA):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)  # no password protects the sockets: only their folder does
        if as_root():
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    if as_root():
        STATE.chmod(0o755)


def postgres_running() -> bool:
    """Whether this checkout's server runs. A copied checkout brings the pid of the other one's along: that is not ours."""
    pid = DATA / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError):
        lines = pid.read_text().splitlines()
        if len(lines) < 2 or Path(lines[1]) != DATA:
            pid.unlink()
            return False
        return run(pg_bin("pg_ctl"), "-D", str(DATA), "status", check=False).returncode == 0
    return False


def psql(statement: str) -> str:
    return run("psql", "-X", "-h", str(RUN), "-U", "lune", "-d", "postgres", "-Atc", statement).stdout.strip()


def start_postgres() -> None:
    if not (DATA / "PG_VERSION").exists():
        run(pg_bin("initdb"), "-D", str(DATA), "-U", "lune", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        DATA.joinpath("postgresql.auto.conf").write_text(
            "listen_addresses = ''\nmax_connections = 200\nshared_buffers = '512MB'\n"
            "work_mem = '16MB'\nmaintenance_work_mem = '256MB'\nmax_wal_size = '4GB'\nrandom_page_cost = 1.1\n"
            "timezone = 'UTC'\nlog_min_duration_statement = '2s'\n"
            # No value of a row or a parameter in the server's log: it may be a name.
            "log_error_verbosity = terse\nlog_min_error_statement = panic\n"
            "log_parameter_max_length = 0\nlog_parameter_max_length_on_error = 0\n"
        )
    if not postgres_running():
        # The socket's folder is given at each start, not kept in the configuration: a checkout may be moved.
        socket = shlex.quote(f'unix_socket_directories="{RUN}"')
        run(pg_bin("pg_ctl"), "-D", str(DATA), "-l", str(LOG / "postgres.log"), "-o", f"-c {socket}", "-w", "-t", "60", "start")
    make_database("lune")
    if wanted := os.environ.get("LUNE_DB"):
        make_database(wanted)


def make_database(name: str) -> None:
    """Make a database that is not there yet: the usual one, or the one that LUNE_DB names."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        sys.exit(f"services: LUNE_DB must be small letters, digits and _, not {name!r}. For example: LUNE_DB=lune_ours")
    if psql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != "1":  # noqa: S608 - its letters are looked at above
        run("createdb", "-h", str(RUN), "-U", "lune", name)


def redis(*command: str) -> str:
    return run("redis-cli", "-s", str(RUN / "redis.sock"), *command, check=False).stdout


def redis_running() -> bool:
    return "PONG" in redis("ping")


def start_redis() -> None:
    if redis_running():
        return
    run(
        "redis-server", "--port", "0", "--unixsocket", str(RUN / "redis.sock"), "--unixsocketperm", "700", "--save", "",
        "--appendonly", "no", "--daemonize", "yes", "--pidfile", str(RUN / "redis.pid"), "--dir", str(RUN),
        "--logfile", str(LOG / "redis.log"), "--client-output-buffer-limit", "pubsub", "256mb", "64mb", "60",
    )  # fmt: skip
    wait_for(redis_running, f"Redis did not answer; see {LOG / 'redis.log'}")


def wait_for(condition, complaint: str) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    sys.exit(f"services: {complaint}")


def running() -> bool:
    return RUN.exists() and postgres_running() and redis_running()


@contextlib.contextmanager
def locked(name: str, kind: int) -> Iterator[IO[str] | None]:
    """Hold a lock file of this checkout; None when `kind` says not to wait and somebody else holds it."""
    with (VAR / name).open("w") as file:
        try:
            fcntl.flock(file, kind)
        except BlockingIOError:
            yield None
            return
        yield file


def start() -> None:
    """Start both and leave them running until `stop`."""
    with locked("services.lock", fcntl.LOCK_EX):
        prepare()
        start_postgres()
        start_redis()
        ON_DEMAND.unlink(missing_ok=True)


def stop_both() -> None:
    if not RUN.exists():
        return
    if postgres_running():
        run(pg_bin("pg_ctl"), "-D", str(DATA), "-m", "fast", "-w", "stop")
    if redis_running():
        redis("shutdown", "nosave")
        wait_for(lambda: not redis_running(), "Redis did not stop")
    ON_DEMAND.unlink(missing_ok=True)


def stop() -> None:
    """Stop both, unless a command of this checkout is using them."""
    with locked("services-in-use.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
        if alone is None:
            sys.exit("services: `make run` or `make test` of this checkout is using them. Stop that first (Ctrl-C there).")
        stop_both()


def status() -> None:
    print(f"PostgreSQL: {'running' if RUN.exists() and postgres_running() else 'stopped'} ({RUN})")
    print(f"Redis: {'running' if RUN.exists() and redis_running() else 'stopped'} ({RUN / 'redis.sock'})")


def destroy() -> None:
    """Stop both and delete their data: `make reset`."""
    stop()
    if not STATE.exists():
        return
    for folder in (DATA, RUN, LOG):
        shutil.rmtree(folder, ignore_errors=True)
    if STATE != VAR:
        STATE.rmdir()


def during(command: list[str]) -> int:
    """Run a command while both servers run; its exit status.

    Servers that somebody started stay. Those that were started for a command stop when the last command that uses them ends.
    """
    with locked("services-in-use.lock", fcntl.LOCK_SH):
        with locked("services.lock", fcntl.LOCK_EX):
            prepare()
            if not running():
                ON_DEMAND.touch()
            start_postgres()
            start_redis()
        # Ctrl-C reaches the whole foreground group: the command ends by itself, and we wait for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = subprocess.Popen(command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: child.terminate())
        code = child.wait()
    with locked("services-in-use.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
        if alone is not None and ON_DEMAND.exists():
            stop_both()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    commands = {"start": start, "stop": stop, "status": status, "destroy": destroy}
    match sys.argv[1:]:
        case ["during", _, *_]:
            sys.exit(during(sys.argv[2:]))
        case [name] if name in commands:
            commands[name]()
        case _:
            sys.exit(f"usage: python3 config/services.py {'|'.join(commands)}, or during COMMAND …")
