"""Redis, the web process and the relay are killed, PostgreSQL is stopped at once, while providers tell figures through the public API.

No update that was answered is lost, none is applied twice, and whoever watches has the last word on everything within five seconds after
what died is back. One round in `make test`; LUNE_FAULT_ROUNDS=50 for the nightly size, which also holds the five seconds.
"""

import json
import os
import random
import socket
import statistics
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psycopg
import pytest
from knox.models import AuthToken

from notifications import bus
from tests.factories import PoolFactory, ServiceFactory, UserFactory
from tests.stack.cluster import Cluster
from tests.stack.live import BASE_DIR, Browser, Stack, eventually

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("LUNE_FAULT_ROUNDS", "1"))
VICTIMS = ("redis", "web", "relay", "postgres")
#: Seconds in which everybody who watches must have everything again.
CONVERGED = 5.0


class Provider(threading.Thread):
    """Tells one place's figure again and again, and is never told whether an update whose answer was lost has been made."""

    def __init__(self, url: str, token: str, version: int) -> None:
        super().__init__(daemon=True)
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=30)
        self.version = version
        self.answered: dict[str, int] = {}
        self.lost_answers = 0
        self.wrong: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            self._tell(f"update {number}", number)
            self.stopping.wait(0.01)
        self._http.close()

    def _tell(self, note: str, number: int) -> None:
        """Until it is known that this update was made: ask again with the version it was made on, and look when that is refused."""
        while True:
            try:
                answer = self._http.patch("", json={"available": number % 10, "note": note}, headers={"If-Match": f'"v{self.version}"'})
            except httpx.HTTPError:
                self.lost_answers += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 412:  # the answer was lost, the update was not
                answer = self._look()
                if answer.json()["note"] != note:
                    self.wrong.append(f"{note}: somebody else's word stands there: {answer.json()['note']}")
            if answer.status_code == 200:
                self.version = answer.json()["version"]
                self.answered[note] = self.version
                return
            self.lost_answers += 1
            if answer.status_code not in (500, 503):
                self.wrong.append(f"{note}: answered {answer.status_code}")
            time.sleep(0.05)

    def _look(self) -> httpx.Response:
        while True:
            try:
                answer = self._http.get("")
                if answer.status_code == 200:
                    return answer
            except httpx.HTTPError:
                pass
            time.sleep(0.05)


def live_js(attempt: int) -> float:
    """As `backOff` of `frontend/src/live.js` has it in the first minute."""
    return min(2.0, 0.5 * 2 ** min(attempt, 10)) * random.uniform(0.5, 1)


class Watcher(threading.Thread):
    """A page that stays open throughout, and comes back by itself as `live.js` does."""

    def __init__(self, stack: Stack, pools: list[str]) -> None:
        super().__init__(daemon=True)
        self.page = Browser(stack, pools=pools)
        self.stopping = threading.Event()

    def run(self) -> None:
        self.page.until(self.stopping.is_set, "the end", patience=24 * 3600, back_off=live_js)

    def knows(self, versions: dict[str, int]) -> bool:
        shown = {pool: state["version"] for pool, state in list(self.page.pools.items())}
        return self.page.live and all(shown.get(pool, 0) >= version for pool, version in versions.items())


class Site:
    """Everything that a live site consists of, on a PostgreSQL and a Redis of its own, with the settings of a site (a pool included)."""

    def __init__(self) -> None:
        user = UserFactory(provider=True)
        pools = [PoolFactory(service=ServiceFactory(organization=user.organization), available=0, maximum=10) for _ in range(4)]
        token = AuthToken.objects.create(user=user)[1]
        self.postgres = Cluster()
        self.stack = Stack(self.postgres.environment | {"DJANGO_SETTINGS_MODULE": "config.settings.dev"}, "config.asgi:application")
        self.stack.start()
        address = f"http://127.0.0.1:{self.stack.port}/api/v1/capacities"
        self.providers = {str(pool.pk): Provider(f"{address}/{pool.pk}/", token, pool.version) for pool in pools}
        self.watchers = [Watcher(self.stack, list(self.providers)) for _ in range(3)]
        for thread in (*self.watchers, *self.providers.values()):
            thread.start()

    def flow(self, more: int = 5) -> None:
        """Until each provider has been answered some more."""
        wanted = {pool: len(provider.answered) + more for pool, provider in self.providers.items()}
        eventually(lambda: all(len(self.providers[p].answered) >= n for p, n in wanted.items()), "providers are answered")

    def converge(self) -> float:
        """Seconds until everybody who watches is live and knows all that has been answered until now."""
        began, wanted = time.monotonic(), {pool: provider.version for pool, provider in self.providers.items()}
        eventually(lambda: all(watcher.knows(wanted) for watcher in self.watchers), "everybody knows")
        return time.monotonic() - began

    def kill(self, victim: str) -> float:
        """Kill it in the middle, start it again, and say how long convergence took after it was back."""
        process = self.postgres if victim == "postgres" else getattr(self.stack, victim)
        leads = self.stack.relay.log().count("relay: active")
        process.kill()
        time.sleep(random.uniform(0, 0.5))
        process.start()
        back = {
            "redis": lambda: reaches(str(self.stack.folder / "redis.sock")),
            "web": lambda: reaches(("127.0.0.1", self.stack.port)),
            "relay": lambda: self.stack.relay.log().count("relay: active") > leads,
            "postgres": lambda: True,
        }[victim]
        eventually(back, f"{victim} is back")
        return self.converge()

    def stop(self) -> None:
        for provider in self.providers.values():
            provider.stopping.set()
        for provider in self.providers.values():
            provider.join(60)

    def close(self) -> None:
        self.stop()
        for watcher in self.watchers:
            watcher.stopping.set()
            watcher.join(60)
        self.stack.close()
        self.postgres.close()

    def written(self) -> dict[str, list[tuple[int, str]]]:
        """The history of each place as its server keeps it: versions and notes."""
        statement = "SELECT version, note FROM capacity_capacityreport WHERE pool_id = %s ORDER BY version"
        with psycopg.connect(dbname="lune", user="lune", host=str(self.postgres.folder)) as sql:
            return {pool: sql.execute(statement, [pool]).fetchall() for pool in self.providers}

    def events(self) -> Counter[tuple[str, int]]:
        """Of which version of which place there is an event."""
        with psycopg.connect(dbname="lune", user="lune", host=str(self.postgres.folder)) as sql:
            rows = sql.execute("SELECT data->>'pool', (data->>'version')::int FROM core_event WHERE type = 'capacity.changed'").fetchall()
        return Counter(rows)


def reaches(address: object) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0  # type: ignore[arg-type]


@pytest.mark.req("R003")
def test_nothing_answered_is_lost_nothing_is_made_twice_and_all_converge():
    site = Site()
    took: dict[str, list[float]] = {victim: [] for victim in VICTIMS}
    try:
        site.flow()
        for _ in range(ROUNDS):
            for victim in VICTIMS:
                took[victim].append(site.kill(victim))
                site.flow(2)
        site.stop()
        site.converge()
        history, events = site.written(), site.events()
        for pool, provider in site.providers.items():
            assert not provider.wrong
            # each update that was answered stands in the history once, in the order in which it was told, and nothing else does
            assert history[pool] == [(version, note) for note, version in provider.answered.items()]
            assert [events[pool, version] for version, _ in history[pool]] == [1] * len(history[pool])
            assert sum(1 for (of, _) in events if of == pool) == len(history[pool])
            for watcher in site.watchers:
                assert watcher.page.pools[pool]["version"] == provider.version
                seen = [version for of, version in watcher.page.versions if of == pool]
                assert seen == sorted(seen), "a page was told an older figure after a younger"
        keep(took, site)
    finally:
        site.close()
    if ROUNDS >= 10:
        assert max(max(each) for each in took.values()) <= CONVERGED


def keep(took: dict[str, list[float]], site: Site) -> None:
    """Write the figures where `docs/capacity.md` takes them from."""
    told = {
        "rounds": ROUNDS,
        "answered": sum(len(provider.answered) for provider in site.providers.values()),
        "answers lost on the way": sum(provider.lost_answers for provider in site.providers.values()),
        "snapshots instead of what was missed": sum(max(0, w.page.kinds.count("snapshot") - 1) for w in site.watchers),
        "heartbeat": bus.BEAT,
        "converged": {victim: {"most": round(max(each), 2), "median": round(statistics.median(each), 2)} for victim, each in took.items()},
        "load": os.getloadavg(),
    }
    Path(BASE_DIR / "var" / "faults.json").write_text(json.dumps(told, indent=2) + "\n")
