"""Make each test database as a copy of one that has been migrated already: a second in place of fifteen.

The template is made anew when a migration or a dependency has changed; its name tells of which it was made.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

BASE_DIR = Path(__file__).resolve().parents[2]
MADE_OF = ("*/migrations/*.py", "config/requirements/dev.txt")
PREFIX = "test_template_"


def digest() -> str:
    """Of everything that decides what a migrated database looks like."""
    found = hashlib.sha256()
    for file in sorted(file for pattern in MADE_OF for file in BASE_DIR.glob(pattern)):
        found.update(f"{file.relative_to(BASE_DIR)}\n".encode())
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def template() -> str:
    """The name of a migrated database with nobody connected to it. Processes that start together make one."""
    wanted = PREFIX + digest()
    here = connection.settings_dict
    lock = BASE_DIR / "var" / "template.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file, psycopg.connect(dbname="postgres", user=here["USER"], host=here["HOST"], autocommit=True) as server:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = {name for (name,) in server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])}
        if wanted not in there:
            for name in there:
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            unfinished = f"{PREFIX}{os.getpid()}"  # a run that was killed may still be at work on one of its own
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
            environment = os.environ | {"LUNE_DB": unfinished, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=BASE_DIR, env=environment, check=True)
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(wanted)))
    return wanted


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django asks here before it makes a database."""
    connection.settings_dict["TEST"]["TEMPLATE"] = template()
