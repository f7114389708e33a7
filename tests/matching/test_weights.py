"""What counts for how much: for each pathway, set by the operator, each change a version, and price never for much."""

from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.errors import Invalid, NotAllowed
from matching import chances, operations, weights
from matching.engine.problem import FACTORS, Weights
from matching.models import WeightSet
from tests.factories import CriterionFactory, LocationFactory, NeedProfileFactory, PoolFactory, UserFactory, near, term

pytestmark = pytest.mark.django_db
SHIPPED = Weights().to_json()


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


def change(by, pathway="", **changes) -> WeightSet:
    return weights.change(pathway=pathway, weights=SHIPPED | changes, note="", by=by, at=timezone.now())


@pytest.mark.req("R071")
def test_each_pathway_ranks_by_its_own_weights_and_the_others_by_the_general_ones(administrator):
    """Social prescribing goes by what somebody likes; everybody else by what is near. A run keeps the version that it was ranked by."""
    near_by, liked = (PoolFactory(location=LocationFactory(point=near(metres))) for metres in (100, 9_000))
    CriterionFactory(service=liked.service, term=term("need", "gardening"))
    general = change(administrator, travel=900)
    own = change(administrator, "social-prescribing", interests=900)
    ranked = {}
    for pathway in ("social-prescribing", "P1", ""):
        profile = NeedProfileFactory(pathway=pathway, preferences=["gardening"])
        run = operations.match(profile, by=None, at=timezone.now())
        ranked[pathway] = (run.weights_version, operations.lines(run)[0].pool_id)
    assert ranked == {"social-prescribing": (own.version, liked.pk), "P1": (general.version, near_by.pk), "": (general.version, near_by.pk)}
    assert own.version == general.version + 1
    before = operations.lines(run)
    change(administrator, travel=0)
    assert operations.replay(run) == before


@pytest.mark.parametrize(
    ("pathway", "changes", "says"),
    [
        ("", {"price": 200}, "Price may count for at most a tenth of all points; here it would for 200 of 1340."),
        ("P9", {}, "“P9” is not a pathway that we know"),
        ("", {"luck": 10}, "Give a number for each of: distance"),
        ("", {"travel": -1}, "from 0 to 1000"),
        ("", {"likelihood": 10}, "switched on: give 0"),
        ("", {"likelihood": 151}, "at most 150 points"),
    ],
)
def test_weights_that_may_not_be_used_are_refused_in_words(administrator, pathway, changes, says):
    with pytest.raises(Invalid) as caught:
        change(administrator, pathway, **changes)
    assert says in str(caught.value)


def test_weights_are_read_under_the_lock_that_numbers_them(administrator):
    """Else somebody who switches at that moment, or changes weights, is undone by what was read before."""
    for do in (
        lambda: change(administrator),
        lambda: chances.switch(chances={}, points=0, note="", by=administrator, at=timezone.now()),
    ):
        with CaptureQueriesContext(connection) as asked:
            do()
        of_weights = [query["sql"] for query in asked if "advisory" in query["sql"] or "matching_weightset" in query["sql"]]
        assert "pg_advisory_xact_lock" in of_weights[0]
        assert len(of_weights) > 2


def test_going_back_to_one_set_for_everybody_leaves_no_set_of_a_pathway_to_be_taken_for_it(administrator):
    general = change(administrator)
    change(administrator, "P3", quality=900)
    *_, undo = import_module("matching.migrations.0012_travel_and_times").Migration.operations
    with connection.schema_editor(atomic=False) as editor:
        undo.database_backwards("matching", editor, None, None)
    assert WeightSet.objects.latest("version") == general


def test_nobody_but_an_administrator_changes_them():
    with pytest.raises(NotAllowed):
        change(UserFactory())


def test_the_operator_sets_them_on_a_page_of_numbers(admin_client):
    """It begins with what is in force; a price that would count for too much is refused there; the next number is given."""
    change(UserFactory(administrator=True), "P2", quality=321)
    address = reverse("admin:matching_weightset_add")
    page = admin_client.get(address, {"pathway": "P2"})
    assert page.context["adminform"].form.initial | {"pathway": "P2", "quality": 321} == page.context["adminform"].form.initial
    given = SHIPPED | {"pathway": "P3", "note": "From April"}
    assert "here it would for 500 of" in admin_client.post(address, given | {"price": 500}).content.decode()
    answer = admin_client.post(address, given | {"quality": 123})
    assert answer.status_code == 302
    made = WeightSet.objects.newest("P3")
    assert (made.weights["quality"], made.note, set(made.weights)) == (123, "From April", set(FACTORS))
    shown = admin_client.get(reverse("admin:matching_weightset_changelist")).content.decode()
    assert "P3: care home" in shown
    assert "3 in 100 points (at most 10)" in shown
    assert admin_client.get(reverse("admin:matching_weightset_change", args=[made.pk])).status_code == 200
