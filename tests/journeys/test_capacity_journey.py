"""Step 2: a provider says what is free, on a phone, in one tap."""

import pytest

from capacity.models import ServiceCapacity
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, place, press, shows
from tests.journeys.steps import given_home, given_provider


@pytest.fixture
def home(stack) -> ServiceCapacity:
    return given_home("Fir Grove", free=3)


@pytest.mark.req("R001")
def test_one_tap_says_what_is_free(visit: Visit, home: ServiceCapacity):
    # given a provider who looks at her places
    page = visit(given_provider(home), "/places/")
    card = place(page, home)
    shows(page, home, "3 free", "green")
    assert_accessible(page)
    # when she taps +1
    press(card, "One more empty")
    # then there are four
    shows(page, home, "4 free", "green")
    home.refresh_from_db()
    assert home.available == 4
