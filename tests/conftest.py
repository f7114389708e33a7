"""Fixtures that every test may use, and how tests are shared out among processes."""

import gc

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadScopeScheduling

from core import sms
from tests import factories

# No test fails because the machine was busy while Hypothesis drew its first examples or tried one.
hypothesis_settings.register_profile("lune", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("lune")

#: Counts which requirements have a passing test; makes transactional tests cheap; makes a database in a second.
pytest_plugins = ["tests.plugins.requirements", "tests.plugins.emptying", "tests.plugins.template"]

#: Folders, and files by how they begin, whose tests share something expensive: they stay in one process.
TOGETHER = ("tests/flow/region/",)
#: These share code that has to be compiled once in a fresh checkout.
COMPILED = ("tests/matching/test_allocation", "tests/matching/test_snapshot", "tests/flow/test_planning", "tests/frontend/test_plan")
#: What takes longest begins first, so that no process is left with it at the end.
FIRST = (
    *TOGETHER,
    *COMPILED,
    # These wait for processes most of the time: best while the browsers have work.
    "tests/faults/",
    "tests/notifications/test_live.py",
    "tests/test_routes_access.py",
    "tests/test_hostile_input.py",
    "tests/test_access_matrix.py",
    "tests/test_read_audit.py",
    "tests/flow/test_row_security.py",
    "tests/flow/test_histories.py",
    "tests/flow/test_demo_load.py",
    "tests/capacity/test_history.py",
    "tests/journeys/test_live_journey.py",
    "tests/journeys/test_entries_journey.py",
)


class ByFile(LoadScopeScheduling):
    """The tests of a file, or of what belongs together, run in one process."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(COMPILED):
            return COMPILED[0]
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((place for place, prefix in enumerate(FIRST) if item.nodeid.startswith(prefix)), len(FIRST)))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again and again, which took a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True)
def _nothing_kept_between_tests() -> None:
    """One test's guesses at a password must not use up another's, nor may it read another's text messages."""
    cache.clear()
    sms.KeepingGateway.outbox.clear()


@pytest.fixture
def referrer(db):
    return factories.UserFactory()


@pytest.fixture
def provider(db):
    return factories.UserFactory(provider=True)


@pytest.fixture
def manager(db):
    return factories.UserFactory(manager=True)


@pytest.fixture
def curator(db):
    return factories.UserFactory(curator=True)


@pytest.fixture
def administrator(db):
    return factories.UserFactory(administrator=True)
