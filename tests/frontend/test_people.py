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


@pytest.mark.req("R079")
def test_somebody_of_the_same_name_and_day_is_offered_before_a_second_record_is_made(signed_in, referrer):
    factories.PostcodeFactory()
    known = factories.PatientFactory(organization=referrer.organization, given_name="ADA", family_name="Byrom")
    offered = signed_in.post(reverse("patient-new"), NEW)
    page = offered.content.decode()
    assert offered.status_code == 409
    assert reverse("patient", args=[known.pk]) in page
    assert 'value="999 000 0018"' in page, "what was typed is kept"
    assert AuditEntry.objects.filter(record_id=known.pk).count() == 1
    assert Patient.objects.count() == 1
    added = signed_in.post(reverse("patient-new"), NEW | {"is_another": "yes"})
    assert (added.status_code, Patient.objects.count()) == (302, 2)
    assert "9990000018" not in added["Location"]


@pytest.mark.req("R213")
def test_who_typed_on_an_older_version_keeps_what_they_typed_and_sees_what_changed(signed_in, referrer):
    factories.PostcodeFactory()
    person = factories.PatientFactory(organization=referrer.organization, phone="01772 900100", given_name="Ada", family_name="Byrom")
    address = reverse("patient-edit", args=[person.pk])
    seen = re.search(r'name="version" value="(\d+)"', signed_in.get(address).content.decode())[1]
    Patient.objects.filter(pk=person.pk).update(phone="01772 900999")
    typed = NEW | {"nhs_number": "", "phone": "01772 900100", "email": "a@example.org", "version": seen}
    stale = signed_in.post(address, typed)
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "Phone number, if there is one: 01772 900999" in page
    assert 'value="a@example.org"' in page
    assert not Patient.objects.filter(email="a@example.org").exists()
    now = re.search(r'name="version" value="(\d+)"', page)[1]
    assert signed_in.post(address, typed | {"phone": "01772 900999", "version": now}).status_code == 302
    person.refresh_from_db()
    assert (person.phone, person.email) == ("01772 900999", "a@example.org")
    assert "01772 900100 → 01772 900999" in signed_in.get(reverse("patient-changes", args=[person.pk])).content.decode()


@pytest.mark.req("R164", "R180")
def test_a_carer_an_agreement_and_a_stay_by_their_pages(signed_in, referrer):
    factories.PostcodeFactory()
    person = factories.PatientFactory(organization=referrer.organization)
    at = {name: reverse(name, args=[person.pk]) for name in ("around-new", "patient-consent", "stay-new", "patient")}
    told = {"name": "Grace Byrom", "relation": "child", "care": "cares", "is_next_of_kin": "on", "phone": "01772 900111"}
    assert signed_in.post(at["around-new"], told).status_code == 302
    assert "Choose what they decided" in signed_in.post(at["patient-consent"], {"purpose": "text"}).content.decode()
    decided = {"purpose": "direct-care", "decision": "refused", "source": "said", "decided_on": clock.local_date(clock.now())}
    assert signed_in.post(at["patient-consent"], decided).status_code == 302
    stay = {"kind": "hospital", "ward": "Ward 3", "discharge_pathway": "P2", "started_on": "2026-01-05", "criteria_to_reside": "none",
            "ready_on": "2026-01-06", "delay_reason": "funding"}  # fmt: skip
    assert signed_in.post(at["stay-new"], stay).status_code == 302
    page = signed_in.get(at["patient"]).content.decode()
    for words in ("Grace Byrom", "Cares for them", "Next of kin", "They do not agree to be referred", "Ward 3", "No criteria to reside"):
        assert words in page
    row = person.related_people.get()
    prefilled = signed_in.get(reverse("around-record", args=[person.pk, row.pk])).content.decode()
    assert 'value="Grace"' in prefilled
    assert 'value="01772 900111"' in prefilled
    signed_in.post(reverse("around-record", args=[person.pk, row.pk]), NEW | {"given_name": "Grace", "nhs_number": ""})
    carer = Patient.objects.get(given_name="Grace")
    search = signed_in.get(reverse("find"), {"patient": carer.pk}).content.decode()
    assert re.search(r'value="carer"[^>]*\bchecked', search), "what help for carers looks for is ticked already"
    before = AuditEntry.objects.filter(record_id=carer.pk).count()
    assert reverse("patient", args=[carer.pk]) in signed_in.get(at["patient"]).content.decode()
    assert AuditEntry.objects.filter(record_id=carer.pk).count() == before + 1, "whoever is named beside the person is looked at too"


def test_two_records_side_by_side_become_one_and_are_parted_again(signed_in, referrer):
    named = {"organization": referrer.organization, "family_name": "Byrom"}
    one, other = (factories.PatientFactory(phone=phone, **named) for phone in ("", "01772 900100"))
    assert reverse("patient-pair", args=sorted([one.pk, other.pk])) in signed_in.get(reverse("patient-pairs")).content.decode()
    pair = reverse("patient-pair", args=[one.pk, other.pk])
    assert signed_in.post(pair, {"action": "merge"}).status_code == 422
    merged = signed_in.post(pair, {"action": "merge", "stays": "one", "keep_phone": "other"})
    assert merged["Location"] == reverse("patient-merges")
    one.refresh_from_db()
    assert one.phone == "01772 900100"
    assert signed_in.get(reverse("patient", args=[other.pk]))["Location"] == reverse("patient", args=[one.pk])
    page = signed_in.get(reverse("patient-merges")).content.decode()
    undo = re.search(r'action="([^"]+undo/)"', page)[1]
    signed_in.post(undo)
    one.refresh_from_db()
    assert (one.phone, Patient.objects.count()) == ("", 2)
    assert signed_in.post(pair, {"action": "different"})["Location"] == reverse("patient-pairs")
    assert reverse("patient-pair", args=sorted([one.pk, other.pk])) not in signed_in.get(reverse("patient-pairs")).content.decode()
