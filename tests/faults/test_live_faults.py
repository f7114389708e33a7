"""Parts of the system die without a goodbye and stay away, or die together. No change is lost. One at a time: test_killed_in_the_middle."""

import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from capacity import operations
from tests.factories import PoolFactory
from tests.stack.live import Browser, Stack, eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Stream:
    """Providers who tell a new figure every few milliseconds until they are stopped."""

    def __init__(self, count: int = 6) -> None:
        self.pools = [PoolFactory(available=0, maximum=None) for _ in range(count)]
        self.last = {str(pool.pk): pool.version for pool in self.pools}
        self.told = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                for pool in self.pools:
                    self.told += 1
                    changed = operations.report(pool_id=pool.pk, available=self.told, by=None, at=timezone.now())
                    self.last[str(pool.pk)] = changed.version
                time.sleep(0.005)
        finally:
            connection.close()

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def flow(self, more: int = 60) -> None:
        """Until that many more figures have been told."""
        target = self.told + more
        eventually(lambda: self.told >= target, "the providers go on telling")


def versions(page: Browser) -> dict[str, int]:
    return {pool: state["version"] for pool, state in page.pools.items()}


def converges(page: Browser, stream: Stream, stack: Stack) -> None:
    """The page that lived through it shows what a page shows that was opened afterwards, and that is the truth."""
    page.until(lambda: versions(page) == stream.last, "the last word on every pool is here")
    fresh = Browser(stack, pools=stream.last).open()
    assert {pool: state["free"] for pool, state in page.pools.items()} == {pool: state["free"] for pool, state in fresh.pools.items()}
    assert versions(fresh) == stream.last


def test_without_redis_the_rows_still_come_and_the_page_says_that_it_is_not_live(stack: Stack):
    stack.redis.kill()
    with Stream(count=2) as stream:
        page = Browser(stack, pools=stream.last).open()
        stream.flow()
        page.until(lambda: "heartbeat" in page.kinds and not page.live, "the page knows that it is not live")
    page.until(lambda: versions(page) == stream.last, "the last word on every pool is here")
    assert not page.live


def test_everything_dies_at_once(stack: Stack):
    with Stream() as stream:
        page = Browser(stack, pools=stream.last).open()
        stream.flow()
        for process in (stack.redis, stack.web, stack.relay):
            process.kill()
        stream.flow()
        for process in (stack.web, stack.relay, stack.redis):  # the wrong way round: each must wait for the other
            process.start()
        page.until(lambda: page.live, "the page is live again")
    converges(page, stream, stack)


def test_postgresql_drops_every_connection(stack: Stack):
    """As at a restart of the database: relay and hub come back by themselves."""
    pool = PoolFactory(available=0, maximum=None)
    page = Browser(stack, pools=[pool.pk]).open()
    with connection.cursor() as sql:
        sql.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert sql.fetchone()[0] >= 1
    version = operations.report(pool_id=pool.pk, available=4, by=None, at=timezone.now()).version
    page.until(lambda: page.pools[str(pool.pk)]["version"] == version, "the change is here")
    page.until(lambda: page.live, "the relay is back")
    assert stack.relay.lives
    assert stack.web.lives
