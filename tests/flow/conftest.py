"""A clinic whose people are told of their times by message, for the tests of appointments, their reminders and what is called off."""

import pytest
import time_machine

from core import sms
from flow.attendance import operations
from tests import factories
from tests.flow.helpers import provider_of
from tests.flow.told import NOW, joins, person, send_due, session


@pytest.fixture
def ten_on_a_tuesday():
    """The clock stands, and nothing has been texted yet."""
    sms.KeepingGateway.forget()
    with time_machine.travel(NOW, tick=False):
        yield
    sms.KeepingGateway.forget()


@pytest.fixture
def pool():
    factories.OutcodeFactory()
    return factories.PoolFactory(service__name="Canary Clinic", service__organization__name="Canary Trust")


@pytest.fixture
def staff(pool):
    return provider_of(pool)


@pytest.fixture
def nurse():
    return factories.UserFactory()


@pytest.fixture
def booked(pool, nurse, staff):
    """Somebody with a mobile alone is booked for Friday at ten; both texts have gone."""
    task = joins(person(nurse), pool, nurse, staff)
    operations.book_session(task_id=task.pk, session_id=session(pool).pk, by=staff, at=NOW)
    send_due()
    return task
