"""The demonstration region, loaded once for every test of this folder: loading takes longer than all of them together."""

from collections.abc import Iterator

import pytest

from flow.demo import load
from tests.flow.region.checks import AT
from tests.plugins.emptying import empty


@pytest.fixture(scope="package")
def region(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The region, committed, until the folder's last test has ended.

    Not in one transaction kept open all the while: no event settles anywhere in the cluster before that ends, and tests of live updates
    run beside these.
    """
    with django_db_blocker.unblock():
        load.load(at=AT)
    yield
    with django_db_blocker.unblock():
        empty()
