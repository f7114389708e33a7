"""The project's own PostgreSQL (with PostGIS) and Redis: made, started and stopped under `var/`.

Nothing outside the checkout is touched: both listen on sockets of their own, on no network port. Standard library only,
so that it runs before anything is installed. `python3 config/services.py start|stop|status|destroy`.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]
VAR = BASE_DIR / "var"
#: A Unix socket's path may have 107 bytes; PostgreSQL's file name takes about 20 of them.
LONGEST_SOCKET_FOLDER = 85


def as_root() -> bool:
    return os.geteuid() == 0


def reachable_by_others(folder: Path) -> bool:
    """Whether an unprivileged user could enter every folder on the way."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents) if part.exists())


def state_dir() -> Path:
    """`var/`, unless the servers could not live there (a root-only folder, or a path too long for a socket)."""
    pointer = VAR / "state-dir"
    if pointer.exists():
        return Path(pointer.read_text().strip())
    fits = len(str(VAR / "run")) <= LONGEST_SOCKET_FOLDER
    if fits and (not as_root() or reachable_by_others(BASE_DIR)):
        return VAR
    home = Path("/var/lib") if as_root() else Path(os.environ.get("XDG_RUNTIME_DIR", Path.home() / ".cache"))
    chosen = home / f"lune-{hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:10]}"
    VAR.mkdir(exist_ok=True)
    pointer.write_text(f"{chosen}\n")
    print(f"services: {VAR} cannot hold the servers' sockets; using {chosen}")
    return chosen


STATE = state_dir()
RUN, DATA, LOG = STATE / "run", STATE / "postgres", STATE / "log"


def service_user() -> list[str]:
    """A prefix that drops root's rights: PostgreSQL refuses to run as root."""
    if not as_root():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def run(*command: str, check: bool = True, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [*service_user(), *command],
        cwd=RUN,
        text=True,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if check and result.returncode:
        sys.exit(f"services: {' '.join(command)} failed:\n{result.stdout or ''}")
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
    for folder in (STATE, RUN, LOG):
        folder.mkdir(parents=True, exist_ok=True)
    if as_root():
        owner = pwd.getpwnam("postgres")
        for folder in (RUN, LOG):
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        if STATE == VAR:
            VAR.chmod(0o755)
        DATA.mkdir(exist_ok=True)
        os.chown(DATA, owner.pw_uid, owner.pw_gid)


def postgres_running() -> bool:
    return (DATA / "postmaster.pid").exists() and run(pg_bin("pg_ctl"), "-D", str(DATA), "status", check=False).returncode == 0


def start_postgres() -> None:
    if not (DATA / "PG_VERSION").exists():
        run(pg_bin("initdb"), "-D", str(DATA), "-U", "lune", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        DATA.joinpath("postgresql.auto.conf").write_text(
            f"listen_addresses = ''\nunix_socket_directories = '{RUN}'\nmax_connections = 200\nshared_buffers = '512MB'\n"
            "work_mem = '16MB'\nmaintenance_work_mem = '256MB'\nmax_wal_size = '4GB'\nrandom_page_cost = 1.1\n"
            "timezone = 'UTC'\nlog_min_duration_statement = '2s'\n"
        )
    if not postgres_running():
        run(pg_bin("pg_ctl"), "-D", str(DATA), "-l", str(LOG / "postgres.log"), "-w", "-t", "60", "start")
    exists = run("psql", "-h", str(RUN), "-U", "lune", "-d", "postgres", "-Atc", "select 1 from pg_database where datname='lune'")
    if exists.stdout.strip() != "1":
        run("createdb", "-h", str(RUN), "-U", "lune", "lune")


def redis_running() -> bool:
    ping = run("redis-cli", "-s", str(RUN / "redis.sock"), "ping", check=False)
    return ping.returncode == 0 and "PONG" in ping.stdout


def start_redis() -> None:
    if redis_running():
        return
    run(
        "redis-server", "--port", "0", "--unixsocket", str(RUN / "redis.sock"), "--unixsocketperm", "777", "--save", "",
        "--appendonly", "no", "--daemonize", "yes", "--pidfile", str(RUN / "redis.pid"), "--dir", str(RUN),
        "--logfile", str(LOG / "redis.log"), "--client-output-buffer-limit", "pubsub", "256mb", "64mb", "60",
    )  # fmt: skip
    for _ in range(100):
        if redis_running():
            return
        time.sleep(0.05)
    sys.exit(f"services: Redis did not answer; see {LOG / 'redis.log'}")


def start() -> None:
    prepare()
    start_postgres()
    start_redis()


def stop() -> None:
    if not RUN.exists():
        return
    if postgres_running():
        run(pg_bin("pg_ctl"), "-D", str(DATA), "-m", "fast", "-w", "stop")
    pidfile = RUN / "redis.pid"
    if pidfile.exists():
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(pidfile.read_text()), signal.SIGTERM)
        pidfile.unlink(missing_ok=True)


def status() -> None:
    print(f"PostgreSQL: {'running' if RUN.exists() and postgres_running() else 'stopped'} ({RUN})")
    print(f"Redis: {'running' if RUN.exists() and redis_running() else 'stopped'} ({RUN / 'redis.sock'})")


def destroy() -> None:
    """Stop both and delete their data: `make reset`."""
    stop()
    for folder in (DATA, RUN, LOG):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    commands = {"start": start, "stop": stop, "status": status, "destroy": destroy}
    chosen = commands.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if chosen is None:
        sys.exit(f"usage: python3 config/services.py {'|'.join(commands)}")
    chosen()
