"""A set of real processes for the tests of one module. Never two at once: one relay is active on one database."""

from collections.abc import Iterator

import pytest

from tests.stack.live import Stack


@pytest.fixture(scope="module")
def _stack(django_db_setup, django_db_blocker) -> Iterator[Stack]:
    with django_db_blocker.unblock():
        stack = Stack()
    try:
        yield stack
    finally:
        stack.close()


@pytest.fixture
def stack(_stack: Stack, transactional_db) -> Iterator[Stack]:
    """Redis, relay and web, running; started again when a test has killed one."""
    _stack.start()
    yield _stack
    _stack.close_browsers()
