"""The keeper's pages for doubles: the queue, two records side by side, what was merged."""

import csv
import re
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from catalogue.dedupe.operations import merge
from catalogue.models import Address, Attachment, DuplicateCandidate, Merge, Phone, Service, ServiceAtLocation, Source, SourceRecord
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, curator):
    client.force_login(curator)
    return client


def record(name, *, source="", street="1 High Street", **values):
    service = factories.ServiceFactory(name=name, source=source, care_type=None, **values)
    location = factories.LocationFactory()
    Address.objects.create(location=location, address_1=street, city="Preston", postal_code="PR1 2HE")
    ServiceAtLocation.objects.create(service=service, location=location)
    return service


def pair(one, other, score=0.97, **values):
    first, second = sorted((one, other), key=lambda service: service.pk)
    reasons = [{"field": "phone", "level": "same", "text": "The same telephone number.", "weight": 5.1}]
    return DuplicateCandidate.objects.create(one=first, other=second, score=score, reasons=reasons, found_at=timezone.now(), **values)


@pytest.fixture
def two():
    one = record("Tea and Talk", source="County directory", description="Tea.")
    other = record("Tea & Talk Club", source="Charities' list", description="Tea and company for anybody who is alone.")
    Phone.objects.create(service=other, number="01772 000000")
    return one, other


def side(found, service):
    return "one" if found.one_id == service.pk else "other"


def decide(client, found, action, **values):
    return client.post(reverse("duplicate", args=[found.pk]), {"action": action, **values})


def names_in(html):
    return re.findall(r'<h2 class="nhsuk-heading-s lune-tight"><a[^>]*>([^<]*)', html)


def test_the_queue_shows_the_surest_first_with_how_far_the_work_is(desk, two):
    pair(*two)
    pair(record("Alpha"), record("Beta"), score=0.6)
    pair(record("Gamma"), record("Delta"), score=0.99, decision="different", decided_at=timezone.now())
    html = desk.get(reverse("duplicates")).content.decode()
    assert html.index("Tea and Talk") < html.index("Alpha")
    assert "Gamma" not in html
    assert "Nobody has looked for doubles yet" in html
    assert re.findall(r'lune-count__number">(\d+)', html) == ["2", "0", "1"]


@pytest.mark.parametrize(
    ("search", "shown"),
    [
        ({}, {"Tea", "Alpha"}),
        ({"sure": "yes"}, {"Tea"}),
        ({"sure": "no"}, {"Alpha"}),
        ({"source": "County directory"}, {"Tea"}),
        ({"area": "pr1"}, {"Tea", "Alpha"}),
        ({"area": "Burnley"}, set()),
        ({"q": "alph"}, {"Alpha"}),
        ({"decision": "different"}, {"Gamma"}),
        ({"decision": "all"}, {"Tea", "Alpha", "Gamma"}),
        ({"decision": "nonsense", "page": "x"}, {"Tea", "Alpha"}),
    ],
)
def test_the_queue_is_filtered_by_its_address(desk, two, search, shown):
    pair(*two)
    pair(record("Alpha"), record("Alpha"), score=0.6)
    pair(record("Gamma"), record("Gamma"), score=0.99, decision="different", decided_at=timezone.now())
    html = desk.get(reverse("duplicates"), search).content.decode()
    assert {name.split()[0] for name in names_in(html)} == shown


def test_both_are_laid_side_by_side_with_what_each_publisher_says(desk, two):
    source = Source.objects.create(name="County directory", kind="oruk-3")
    at = timezone.now()
    SourceRecord.objects.create(
        source=source, foreign_id="1", service=two[0], content={"name": "Tea & Tattle"}, first_seen_at=at, fetched_at=at, last_seen_at=at
    )
    html = desk.get(reverse("duplicate", args=[pair(*two).pk])).content.decode()
    for told in (
        "Tea and Talk",
        "Tea &amp; Talk Club",
        "County directory says: Tea &amp; Tattle",
        "The same telephone number.",
        "Different",
    ):
        assert told in html, told
    assert re.search(r"Only in [AB]", html)  # the telephone
    assert "01772 000000" in html
    assert "What is the same in both" in html


def test_what_was_chosen_is_merged_and_the_next_pair_comes(desk, two):
    one, other = two
    found, following = pair(one, other), pair(record("Alpha"), record("Beta"), score=0.6)
    chosen = {"keep_name": side(found, one), "keep_description": side(found, other), "keep_phones": side(found, other)}
    answer = decide(desk, found, "merge", stays=side(found, one), **chosen)
    assert answer.url == reverse("duplicate", args=[following.pk])
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.name, one.description, other.merged_into) == ("Tea and Talk", other.description, one)
    assert one.phones.get().number == "01772 000000"
    assert one.kept_fields == ["description", "phones"]
    page = desk.get(reverse("merges")).content.decode()
    assert "what it offers, telephone" in page
    desk.post(reverse("merge-change", args=[Merge.objects.get().pk]))
    other.refresh_from_db()
    assert other.merged_into is None


@pytest.mark.req("R105")
def test_the_queue_goes_into_a_file_as_it_is_filtered_and_names_no_address_and_no_formula(desk, two):
    found = pair(*two)
    pair(record("=Alpha"), record("Beta", is_confidential=True), score=0.6)
    lines = [*csv.DictReader(StringIO(b"".join(desk.get(reverse("duplicates-csv")).streaming_content).decode()))]
    assert [line["How sure in per cent"] for line in lines] == ["97.0", "60.0"]
    first = lines[0]
    assert {first["Publisher A"], first["Publisher B"]} == {"County directory", "Charities' list"}
    assert (first["Id A"], first["State"]) == (str(found.one_id), "Not looked at")
    assert first["For and against"] == "The same telephone number (+5.1)"
    assert "'=Alpha" in {lines[1]["Record A"], lines[1]["Record B"]}
    text = b"".join(desk.get(reverse("duplicates-csv"), {"sure": "yes"}).streaming_content).decode()
    assert "Alpha" not in text
    assert "PR1 2HE" not in text


def test_photos_are_seen_beside_each_other(desk, two):
    one, other = two
    shown = Attachment.objects.create(service=other, kind="photo", title="The hall", file="hall.jpg", size=1, added_at=timezone.now())
    html = desk.get(reverse("duplicate", args=[pair(one, other).pk])).content.decode()
    assert "The hall," in html
    assert f'src="{reverse("attachment", args=[shown.pk])}"' in html


def test_what_is_missing_is_told_beside_the_field(desk, two):
    found = pair(*two)
    answer = decide(desk, found, "merge", keep_name="neither")
    html = answer.content.decode()
    assert answer.status_code == 422
    for told in ("There is a problem", "Choose which record stays.", "Name: choose A or B.", "What it offers: choose A or B."):
        assert told in html, told
    assert not Merge.objects.exists()


def test_a_merge_that_cannot_be_is_told_in_words(desk):
    task = factories.ReferralTaskFactory()
    kept = record("Fir Grove")
    found = pair(kept, task.pool.service)
    page = desk.get(reverse("duplicate", args=[found.pk])).content.decode()
    assert "It has 1 open referral" in page
    rows = {name: side(found, kept) for name in re.findall(r'name="(keep_\w+)"', page)}
    answer = decide(desk, found, "merge", stays=side(found, kept), **rows)
    assert answer.status_code == 422
    assert "It has 1 open referral" in answer.content.decode()


def test_two_services_stay_two_and_can_be_looked_at_again(desk, two, curator):
    found = pair(*two)
    assert decide(desk, found, "later").url == reverse("duplicates")
    assert decide(desk, found, "different").url == reverse("duplicates")
    found.refresh_from_db()
    assert (found.decision, found.decided_by) == ("different", curator)
    assert "Look at it again" in desk.get(reverse("duplicate", args=[found.pk])).content.decode()
    decide(desk, found, "again")
    found.refresh_from_db()
    assert found.decision == "open"


def test_what_a_source_has_since_said_is_shown_and_can_be_taken(desk, two, curator):
    one, other = two
    done = merge(kept_id=one.pk, gone_id=other.pk, chosen=["description"], by=curator, at=timezone.now())
    Service.objects.filter(pk=other.pk).update(description="Every Monday now.")
    page = desk.get(reverse("merges")).content.decode()
    assert "Charities&#39; list has since said, what it offers:" in page
    assert "Every Monday now." in page
    desk.post(reverse("merge-change", args=[done.pk]), {"take": "description"})
    one.refresh_from_db()
    assert one.description == "Every Monday now."
    assert "has since said" not in desk.get(reverse("merges")).content.decode()


def test_an_old_address_leads_to_the_record_that_stays(client, two, curator, referrer):
    one, other = two
    third = record("Third")
    old = reverse("service", args=[other.pk])
    merge(kept_id=one.pk, gone_id=other.pk, by=curator, at=timezone.now())
    for user in (None, referrer, curator):
        if user:
            client.force_login(user)
        answer = client.get(old)
        assert (answer.status_code, answer.url) == (301, reverse("service", args=[one.pk]))
    merge(kept_id=third.pk, gone_id=one.pk, by=curator, at=timezone.now())
    assert client.get(old).url == reverse("service", args=[third.pk])


def test_an_old_address_does_not_tell_of_a_confidential_record(client, two, curator):
    one, other = two
    merge(kept_id=one.pk, gone_id=other.pk, by=curator, at=timezone.now())
    old = reverse("service", args=[other.pk])
    for secret, open_ in ((one, other), (other, one)):
        Service.objects.filter(pk=secret.pk).update(is_confidential=True)
        Service.objects.filter(pk=open_.pk).update(is_confidential=False)
        assert client.get(old).status_code == 404


@pytest.mark.parametrize("role", ["referrer", "provider", "manager"])
def test_nobody_else_sees_pairs_that_may_name_a_refuge(client, request, role, two):
    Service.objects.filter(pk=two[0].pk).update(is_confidential=True)
    found = pair(*two)
    client.force_login(request.getfixturevalue(role))
    for name, args in (("duplicates", []), ("duplicate", [found.pk]), ("merges", [])):
        assert client.get(reverse(name, args=args)).status_code == 403


def test_a_keeper_reads_of_a_refuge_and_not_where_it_is(desk):
    one, other = record("Larkspur", street="7 Hidden Lane", is_confidential=True), record("Larkspur House", street="7 Hidden Lane")
    Service.objects.filter(pk=other.pk).update(is_confidential=True)
    at = timezone.now()
    content = {"addresses": ["7 Hidden Lane, Preston, PR1 2HE"], "postcodes": ["PR1 2HE"]}
    source = Source.objects.create(name="List", kind="oruk-3")
    SourceRecord.objects.create(
        source=source, foreign_id="1", service=one, content=content, first_seen_at=at, fetched_at=at, last_seen_at=at
    )
    found = pair(one, other)
    for address in (reverse("duplicate", args=[found.pk]), reverse("duplicates")):
        html = desk.get(address).content.decode()
        assert "Larkspur" in html
        assert "confidential" in html
        assert "Hidden Lane" not in html
        assert "PR1 2HE" not in html


@pytest.mark.parametrize("value", ["", "x" * 5_000, "<script>alert(1)</script>", "9" * 400, "🦄\u202e"])
def test_nonsense_is_refused_in_words(desk, two, value):
    found = pair(*two)
    assert decide(desk, found, value, stays=value, keep_name=value).status_code == 422
    assert desk.get(reverse("duplicates"), dict.fromkeys(("decision", "sure", "source", "area", "q", "page"), value)).status_code == 200
    done = merge(kept_id=two[0].pk, gone_id=two[1].pk, by=factories.UserFactory(curator=True), at=timezone.now())
    if value:
        assert desk.post(reverse("merge-change", args=[done.pk]), {"take": value}).status_code == 422
    assert "<script>alert" not in desk.get(reverse("duplicates"), {"q": value}).content.decode()
