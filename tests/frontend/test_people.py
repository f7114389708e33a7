"""The worklist, one person's page, a new person, and the ground of the map."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from core import clock
from core.geo import to_wgs84
from core.models import AuditEntry
from flow.models import Episode, Patient
from tests import factories


@pytest.fixture
def signed_in(client, referrer):
    client.force_login(referrer)
    return client


def waiting(organization, days, **fields):
    at = clock.now()
    return factories.EpisodeFactory(
        patient__organization=organization, started_at=at - timedelta(days=days + 1), ready_at=at - timedelta(days=days), **fields
    )


def names(answer):
    """The people of the table, in its order."""
    return re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', answer.content.decode())


@pytest.mark.req("R037")
def test_the_worklist_shows_ones_own_people_longest_wait_first(signed_in, referrer):
    short, long = waiting(referrer.organization, 1), waiting(referrer.organization, 9)
    stranger = factories.EpisodeFactory()
    answer = signed_in.get(reverse("worklist"))
    assert names(answer) == [long.patient.full_name, short.patient.full_name]
    assert stranger.patient.full_name not in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"pathway": "P1"}, ["p1"]),
        ({"delay": "funding"}, ["p1"]),
        ({"delay": "none"}, ["p3"]),
        ({"days": "7"}, ["p3"]),
        ({"status": "requested"}, []),
        ({"pathway": "nonsense"}, ["p3", "p1"]),
        ({"sort": "days"}, ["p1", "p3"]),
        ({"sort": "name"}, ["p1", "p3"]),
        ({"sort": "-name"}, ["p3", "p1"]),
    ],
)
def test_filters_and_order_stand_in_the_address(signed_in, referrer, query, expected):
    waiting(referrer.organization, 2, discharge_pathway="P1", delay_reason="funding", patient__family_name="Aspinall")
    waiting(referrer.organization, 9, discharge_pathway="P3", patient__family_name="Zielinski")
    by_name = {"Canary Aspinall": "p1", "Canary Zielinski": "p3"}
    assert [by_name[name] for name in names(signed_in.get(reverse("worklist"), query))] == expected


def test_an_empty_worklist_says_what_to_do(signed_in):
    assert "Change the filters, or add a person" in signed_in.get(reverse("worklist")).content.decode()


def test_the_worklist_refreshes_with_its_filters(signed_in, referrer):
    waiting(referrer.organization, 2)
    page = signed_in.get(reverse("worklist"), {"days": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "days=1" in page
    assert f'data-live-topics="org:{referrer.organization_id}"' in page


def test_the_list_downloads_as_a_harmless_spreadsheet_and_is_audited(signed_in, referrer):
    episode = waiting(referrer.organization, 3, ward="=HYPERLINK(1)")
    answer = signed_in.get(reverse("worklist-csv"))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[0]["Name"] == episode.patient.full_name
    assert rows[0]["Days"] == "3"
    assert rows[0]["Ward"] == "'=HYPERLINK(1)"
    assert AuditEntry.objects.filter(record_id=episode.patient_id, purpose="export").count() == 1


def test_a_persons_page_tells_their_story_and_records_the_look(signed_in, referrer):
    episode = waiting(referrer.organization, 3)
    task = factories.ReferralTaskFactory(referral__organization=referrer.organization, referral__patient=episode.patient)
    page = signed_in.get(reverse("patient", args=[episode.patient_id])).content.decode()
    assert f"<title>{episode.patient.full_name} – Lune</title>" in page
    assert "Ward 12" in page
    assert task.pool.service.name in page
    assert AuditEntry.objects.filter(user_id=referrer.pk, record_id=episode.patient_id).count() == 1


NEW = {
    "given_name": "Ada", "family_name": "Byrom", "birth_date": "1941-05-17", "nhs_number": "999 000 0018", "sex": "female",
    "postcode": "PR1 2HE", "preferred_language": "en",
}  # fmt: skip


def test_a_new_person_with_a_stay(signed_in, referrer):
    factories.PostcodeFactory()
    answer = signed_in.post(
        reverse("patient-new"),
        NEW | {"kind": "hospital", "ward": "Ward 3", "discharge_pathway": "P3", "ready_on": "2026-01-05", "delay_reason": "awaiting-bed"},
    )
    patient, episode = Patient.objects.get(), Episode.objects.get()
    assert answer["Location"] == reverse("patient", args=[patient.pk])
    assert patient.organization == referrer.organization
    assert patient.nhs_number == "9990000018"
    assert episode.delay_reason == "awaiting-bed"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"given_name": ""}, "Enter the first name"),
        ({"nhs_number": "999 000 0019"}, "That is not an NHS number"),
        ({"birth_date": "2941-05-17"}, "The date of birth must be in the past"),
        ({"birth_date": "1741-05-17"}, "Check the date of birth"),
        ({"postcode": "PR1"}, "Enter a full postcode"),
        ({"postcode": "ZZ9 9ZZ"}, "We do not know the postcode"),
        ({"kind": "hospital"}, "Choose the pathway"),
        ({"kind": "hospital", "discharge_pathway": "P3", "ready_on": "2941-01-05"}, "cannot be in the future"),
    ],
)
def test_a_new_person_that_is_not_right_is_explained_and_not_kept(signed_in, changes, words):
    factories.PostcodeFactory()
    answer = signed_in.post(reverse("patient-new"), NEW | changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="Byrom"' in page
    assert not Patient.objects.exists()


def test_the_same_nhs_number_twice(signed_in, referrer):
    factories.PostcodeFactory()
    factories.PatientFactory(organization=referrer.organization, nhs_number="9990000018")
    page = signed_in.post(reverse("patient-new"), NEW).content.decode()
    assert "has a record with this NHS number" in page


def longitude_of(point):
    return to_wgs84(point).x


def test_the_map_has_outlines_and_towns_without_any_network(client, db):
    factories.AreaFactory(name="Preston")
    factories.OutcodeFactory(code="PR1", town="Preston")
    factories.OutcodeFactory(code="PR2", town="Preston", point=factories.near(2000))
    answer = client.get(reverse("map-areas"))
    found = answer.json()
    assert found["outlines"]["features"][0]["properties"] == {"name": "Preston"}
    longitude, latitude = found["outlines"]["features"][0]["geometry"]["coordinates"][0][0]
    assert -3 < longitude < -2
    assert 53 < latitude < 54
    assert [(town["name"], town["size"]) for town in found["towns"]] == [("Preston", "large")]
    assert found["towns"][0]["lon"] < longitude_of(factories.near(1000)), "where its first postcode district is, not the mean"
    assert "max-age=3600" in answer["Cache-Control"]


@pytest.fixture(autouse=True)
def _no_kept_map():
    from django.core.cache import cache

    cache.clear()
