"""What a plan must keep, as people enter and read it: who stays together and apart, a provider's limits, better plans, watched groups."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from capacity.models import AdmissionLimit, SharedRoom
from core.models import AuditEntry
from flow.models import Episode, Plan, Relationship
from flow.planning import operations as planning
from flow.planning import renewing, watching
from flow.planning.queries import current_plan
from flow.relations import keep_together
from frontend.presenters import plan as presenter
from tests.factories import OrganizationFactory, PatientFactory, UserFactory
from tests.flow.waiting import home, waits
from tests.frontend.test_plan import BOARD, browser, line_page, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(referrer):
    return waits(referrer, days=9, patient__given_name="Ada", patient__family_name="Byron")


def test_who_stays_together_and_who_is_kept_apart_is_entered_on_a_page_and_taken_away_again(referrer, ada):
    will = waits(referrer, patient__given_name="Will", patient__family_name="King", patient__nhs_number="9990000018")
    PatientFactory(given_name="Will", family_name="King")  # of another organisation: nobody here finds them
    team, address = browser(referrer), reverse("patient-plan", args=[ada.patient_id])
    for sent, says in (
        ({"action": "together"}, "Enter the NHS number or the full name"),
        ({"action": "together", "other": "Nobody Known", "kind": "couple"}, "Nobody in your organisation’s records"),
        ({"action": "together", "other": "Ada Byron", "kind": "couple"}, "That is the same person"),
        ({"action": "together", "other": "Will King", "kind": "x"}, "Select a valid choice"),
        ({"action": "infection", "infection": "x"}, "Select a valid choice"),
        ({"action": "let-apart", "tie": "x"}, "Press one of the buttons"),
    ):
        wrong = team.post(address, sent)
        page = text_of(wrong)
        assert (wrong.status_code, says in page, sent.get("other", "") in page) == (422, True, True), sent
    team.post(address, {"action": "together", "other": "will  king", "kind": "couple"})
    assert "999 000 0018" not in text_of(team.get(address))
    tie = Relationship.objects.get()
    assert {tie.patient, tie.other} == {ada.patient, will.patient}
    again = team.post(address, {"action": "together", "other": "999 000 0018", "kind": "family"})
    assert (again.status_code, "kept together already" in text_of(again)) == (409, True)
    before = AuditEntry.objects.filter(record_id=will.patient_id).count()
    assert "Will King" in text_of(team.get(address))
    assert AuditEntry.objects.filter(record_id=will.patient_id).count() == before + 1, "who is named is looked at"
    team.post(address, {"action": "infection", "infection": "flu"})
    assert Episode.objects.get(pk=ada.pk).infection == "flu"
    assert "Kept apart: Flu" in text_of(team.get(reverse("patient", args=[ada.patient_id])))
    stranger = browser(UserFactory())
    assert stranger.post(reverse("patient-plan", args=[PatientFactory().pk]), {"action": "let-apart", "tie": tie.pk}).status_code == 404
    team.post(address, {"action": "let-apart", "tie": tie.pk})
    assert not Relationship.objects.exists()


def test_a_provider_says_how_many_newcomers_it_takes_and_who_shares_a_room(provider):
    pool = home(0, service__organization=provider.organization, unit="bed")
    signed_in, address = browser(provider), reverse("place-change", args=[pool.pk])
    sent = {"name": "Bay 3", "unit": "bed", "for_sex": "", "per": ""}
    for values, says in (
        ({"a_day": "0"}, "Write at least 1"),
        ({"a_day": "some"}, "Write the number in figures"),
        ({"shared": "yes", "room_infection": "flu"}, "Say whether women or men are in the room"),
    ):
        wrong = signed_in.post(address, sent | values)
        assert (wrong.status_code, says in text_of(wrong)) == (422, True)
    signed_in.post(address, sent | {"a_day": "1", "service_a_day": "2", "shared": "yes", "room_sex": "female", "room_infection": "flu"})
    limits = AdmissionLimit.objects.filter(service=pool.service).order_by("a_day")
    assert list(limits.values_list("pool", "a_day")) == [(pool.pk, 1), (None, 2)]
    assert SharedRoom.objects.values_list("sex", "infection").get(pool=pool) == ("female", "flu")
    assert 'value="2"' in text_of(signed_in.get(address))
    other = reverse("service-place-new", args=[pool.service_id])
    assert 'value="2"' in text_of(signed_in.get(other)), "more places do not take the service's limit away"
    signed_in.post(address, sent)
    assert not AdmissionLimit.objects.exists()
    assert not SharedRoom.objects.exists()


def test_the_board_says_that_the_plan_can_be_better_and_somebody_takes_it_over(referrer, ada):
    far = home(9_000)
    first = planning.draw_up(by=referrer, at=timezone.now())
    near_one = home(0)
    assert renewing.look_again(organization_id=referrer.organization_id, at=timezone.now()) == "suggested"
    team = browser(referrer)
    page = " ".join(text_of(team.get(BOARD)).split())
    assert "The plan can be better: 1 change" in page
    assert f"Ada Byron: {far.service.name} before; {near_one.service.name} now:" in page
    better = Plan.objects.get(status=Plan.Status.PROPOSED)
    boss = browser(UserFactory(manager=True, organization=referrer.organization))
    seen = text_of(boss.get(BOARD))
    assert ("1 change" in seen, "Byron" in seen) == (True, False)
    assert browser(UserFactory()).post(reverse("plan-take-over", args=[better.pk]), follow=True).status_code == 200
    assert current_plan(referrer) == first
    done = text_of(team.post(reverse("plan-take-over", args=[better.pk]), follow=True))
    assert "The better plan is in force. Nothing is held or sent by it." in done
    late = text_of(team.post(reverse("plan-take-over", args=[better.pk]), follow=True))
    assert "not suggested any more" in late


def test_the_places_to_drag_to_are_a_part_of_the_persons_page_with_their_prices(referrer, ada):
    home(0), home(4_000)
    will = waits(referrer, max_distance_m=1_000, patient__given_name="Will", patient__family_name="King")
    plan = planning.draw_up(by=referrer, at=timezone.now())
    team = browser(referrer)
    assert "data-plan-grip" in text_of(team.get(BOARD))
    part = text_of(team.get(line_page(plan, ada), headers={"HX-Request": "true", "HX-Target": "plan-places"}))
    assert ("<html" in part, part.count("data-plan-target"), "Price: " in part) == (False, 1, True)
    assert will.patient_id in set(AuditEntry.objects.values_list("record_id", flat=True)), "whom the price names is looked at too"
    assert text_of(team.get(line_page(plan, ada))).count("Choose this place") == 1, "and without a script it is on the page"


def test_whom_a_line_of_the_file_names_beside_its_person_is_looked_at_too(referrer, ada):
    will = waits(referrer, patient__given_name="Will", patient__family_name="King", discharge_pathway="P1")
    keep_together(patient_id=ada.patient_id, other=will.patient_id, kind="couple", by=referrer, at=timezone.now())
    planning.draw_up(by=referrer, at=timezone.now())
    file = text_of(browser(referrer).get(reverse("plan-csv"), {"pathway": "P1"}))
    assert ("Together with Ada Byron." in file, file.count("\n")) == (True, 2)
    looked_at = set(AuditEntry.objects.filter(purpose="export").values_list("record_id", flat=True))
    assert looked_at == {ada.patient_id, will.patient_id}


def test_a_manager_watches_providers_and_groups_and_reads_no_small_number(referrer):
    home(0, available=9)
    for number in range(13):
        waits(referrer, patient__sex="female" if number < 6 else "male" if number < 12 else "other")
    planning.draw_up(by=referrer, at=timezone.now())
    boss = browser(UserFactory(manager=True, organization=referrer.organization))
    page = " ".join(text_of(boss.get(BOARD)).split())
    assert "Shares between providers" in page
    assert "How groups of people fare" in page
    assert "not told" in page
    file = text_of(boss.get(reverse("plan-csv")))
    assert "Sex,Other,not told,of not told" in file
    assert "How groups of people fare" not in text_of(browser(referrer).get(BOARD))


@pytest.mark.parametrize(
    ("objective", "says"),
    [(1_000_000, "Proved: by the points in force"), (1_003_000, "At most 0.3% from the best"), (1_000_100, "At most 0.1% from the best")],
)
def test_the_proof_is_said_in_words_and_so_is_what_is_kept(objective, says):
    kept = {"together": 2, "packages": 0, "rooms": 1, "limits": 3, "share": 40}
    plan = Plan(objective=objective, bound=1_000_000, figures={"kept": kept})
    assert presenter.proof(plan).startswith(says)
    assert presenter.kept(plan) == (
        "It keeps 2 couples and families together, 1 shared room, 3 limits of newcomers a day and a ceiling of 40% for one provider."
    )
    assert presenter.kept(Plan(figures={})) == ""


def row_of(people, placed):
    return {"people": people, "placed": placed, "points": 900, "miles": 2.0}


def test_small_groups_are_hidden_and_cannot_be_worked_out_from_the_others():
    few, middle, many = watching.hide([row_of(3, 1), row_of(7, 7), row_of(40, 33)])
    assert (few["people"], few["placed"], few["points"]) == (None, None, None)
    assert middle["people"] is None, "with one hidden alone, the total would tell it"
    assert (many["people"], many["placed"], many["points"]) == (40, None, 900), (
        "with it the total tells that two of the others have no place"
    )
    (most,) = watching.hide([row_of(20, 18)])
    assert (most["people"], most["placed"]) == (20, None), "two without a place are few as well"


@pytest.mark.parametrize(
    ("rows", "people", "placed"),
    [
        ([(20, 10), (18, 9), (1, 1), (1, 0)], [20, None, None, None], [10, None, None, None]),
        ([(20, 18), (30, 10), (40, 20)], [20, 30, 40], [None, None, 20]),
        ([(20, 10), (30, 30)], [20, 30], [10, 30]),
        ([(1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (9, 9), (20, 20)], [*[None] * 6, 20], [*[None] * 6, 20]),
    ],
)
def test_what_is_hidden_together_is_more_than_one_each(rows, people, placed):
    shown = watching.hide([row_of(*row) for row in rows])
    assert ([row["people"] for row in shown], [row["placed"] for row in shown]) == (people, placed)


def test_a_manager_reads_no_small_number_of_a_provider_or_a_pathway_and_no_confidential_name(referrer):
    refuge = OrganizationFactory(name="Haven", is_confidential=True)
    big, small = home(0, available=7), home(2_000, available=1)
    home(4_000, available=1, service__organization=refuge)
    for number in range(9):
        waits(referrer, discharge_pathway="P1" if number else "P3")
    plan = planning.draw_up(by=referrer, at=timezone.now())
    shares = {row["provider"]: (row["placed"], row["of_placed"]) for row in plan.figures["shares"]}
    assert shares == dict.fromkeys([big.service.organization.name, small.service.organization.name, watching.UNNAMED], (None, None))
    boss = browser(UserFactory(manager=True, organization=referrer.organization))
    page, file = text_of(boss.get(BOARD)), text_of(boss.get(reverse("plan-csv")))
    assert watching.UNNAMED in page
    assert "Haven" not in page + file
    assert [row["placed"] for row in presenter.pathways(plan, exact=False)] == [None, None]
    assert sum(row["placed"] for row in presenter.pathways(plan, exact=True)) == 9, "a team knows its people"
    assert file.count("not told,of not told") >= 2
    assert f"Provider,{small.service.organization.name},not told," in file


def test_the_board_with_couples_asks_the_database_the_same_for_two_as_for_five(referrer):
    team, counts = browser(referrer), []
    for more in (2, 3):
        for number in range(more):
            home(number * 500)
            waits(referrer)
        planning.draw_up(by=referrer, at=timezone.now())
        home(100, available=4)
        renewing.look_again(organization_id=referrer.organization_id, at=timezone.now())
        team.get(BOARD)
        with CaptureQueriesContext(connection) as asked:
            team.get(BOARD)
        counts.append(len(asked))
    assert counts[0] == counts[1]
