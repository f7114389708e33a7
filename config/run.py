"""`make run`, once everything is installed and the servers run: prepare the database, then start the site's processes.

Run it through `config/services.py during`. PORT (default 8000) and HOST (default 127.0.0.1) say where the site listens;
LUNE_SIMULATOR=off leaves the demonstration region still. LUNE_DEMO=off leaves it out, for data of your own; LUNE_DB names their database.
"""

import os
import socket
import sys
import threading
import time
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8000"
WITH_DEMO = os.environ.get("LUNE_DEMO") != "off"

WELCOME = """
  Lune is at http://{host}:{port}/

{people}

  Ctrl-C stops it. The data stays in var/; `make reset` begins anew.
"""


def check_port() -> None:
    """Stop early, in plain words, when something else listens there."""
    if not PORT.isdigit():
        sys.exit(f"PORT must be a number, not {PORT!r}. For example: make run PORT=8001")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(PORT)))
        except OSError as error:
            sys.exit(f"Lune cannot listen on {HOST}:{PORT} ({error.strerror}). Choose another port: make run PORT={int(PORT) + 1}")


def prepare_database() -> None:
    """Migrate, and fill an empty database with the demonstration region, unless LUNE_DEMO=off."""
    import django
    from django.core.management import call_command

    django.setup()

    from catalogue import spelling
    from core import clock
    from notifications.notices import demo

    call_command("migrate", interactive=False, verbosity=0)
    if WITH_DEMO:
        call_command("load_demo")
        demo.load(at=clock.now())
    spelling.learn()


def procfile() -> dict[str, str]:
    """Name and command of each process of `config/Procfile`."""
    lines = (BASE_DIR / "config" / "Procfile").read_text().splitlines()
    named = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
    return {name.strip(): command.strip() for name, command in named}


def people() -> str:
    """The demonstration's log-ins, each with what to try first."""
    if not WITH_DEMO:
        return "  Without the demonstration region. Make your own account with: manage.py createsuperuser"

    from flow.demo import logins

    lines = [f"  Log in as (password of all: {logins.PASSWORD})"]
    for login in logins.LOGINS:
        lines += [f"    {login.email:<34} {login.role}", f"    {'':<34} {login.try_this}"]
    lines += ["", "  Open it in two browsers, as a referrer and as a provider: what one changes, the other sees by itself."]
    lines += ["  LUNE_SIMULATOR=off keeps the region still."]
    return "\n".join(lines)


def welcome_when_ready() -> None:
    """Print the address as soon as the site answers."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, int(PORT))) == 0:
                print(WELCOME.format(host=HOST, port=PORT, people=people()), flush=True)
                return
        time.sleep(0.1)


def main() -> int:
    os.chdir(BASE_DIR)
    sys.path.insert(0, str(BASE_DIR))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    check_port()
    prepare_database()

    from honcho.manager import Manager

    manager = Manager()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        "HOST": HOST,
        "PORT": PORT,
    }
    for name, command in procfile().items():
        if name == "simulator" and (not WITH_DEMO or os.environ.get("LUNE_SIMULATOR") == "off"):
            continue
        manager.add_process(name, f"exec {command}", env=environment, cwd=str(BASE_DIR))
    threading.Thread(target=welcome_when_ready, daemon=True).start()
    manager.loop()
    # Ctrl-C is how one ends it: not a failure.
    return 0 if manager.returncode in (130, 143) else manager.returncode or 1


if __name__ == "__main__":
    sys.exit(main())
