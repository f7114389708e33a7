"""The curator's list of records to check."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue import assurance, assurance_queue, letters, reminders
from catalogue.models import AssuranceLink, AssuranceRound, MistakeReport, Phone, Service
from tests import factories

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
QUEUE = "/curate/assurance/"


@pytest.fixture
def desk(curator) -> Client:
    client = Client()
    client.force_login(curator, backend=BACKEND)
    return client


def service(days: int | None = 200, **fields) -> Service:
    checked = None if days is None else timezone.localdate() - timedelta(days=days)
    return factories.ServiceFactory(**{"assured_date": checked, "email": "owner@example.org", **fields})


def listed(user, **filters) -> list[str]:
    return [each.name for each in assurance_queue.queue(user, at=timezone.now(), **filters)]


def ask(one: Service, days_ago: int = 0) -> str:
    at = timezone.now() - timedelta(days=days_ago)
    return assurance.issue_links(services=[one], sent_to=one.email, at=at)[0][1]


@pytest.mark.req("R106")
@pytest.mark.req("R127")
def test_each_record_is_under_every_reason_that_it_has(curator):
    service(20, name="fresh")
    service(85, name="soon")
    service(95, name="late")
    service(None, name="never")
    service(20, name="mute", email="")
    bounced = service(20, name="bounced", email="bounced@example.org")
    ask(bounced)
    letters.mail_came_back(service_id=bounced.pk, by=curator, at=timezone.now())
    silent = service(95, name="silent")
    ask(silent, 29), ask(silent, 15)
    once = service(95, name="once")
    ask(once, 15)
    wrong = service(20, name="wrong")
    assurance.report_mistake(service_id=wrong.pk, what="", words="Moved", reply_to="", at=timezone.now())
    closed = service(20, name="closed")
    assurance.answer_link(token=ask(closed), answer="closed", at=timezone.now())
    expected = {
        "mistakes": ["wrong"], "closed": ["closed"], "overdue": ["late", "once", "silent"], "never": ["never"], "soon": ["soon"],
        "silent": ["silent"], "unreachable": ["bounced", "mute"],
    }  # fmt: skip
    assert {show: listed(curator, show=show) for show in expected} == expected
    assert assurance_queue.counts(curator, at=timezone.now()) == {show: len(names) for show, names in expected.items()}


def test_records_that_are_closed_or_merged_need_no_check(curator):
    kept = service(name="kept")
    service(merged_into=kept)
    service(status=Service.Status.DEFUNCT)
    assert listed(curator) == ["kept"]


def test_others_see_nothing_of_the_list(provider, referrer, manager):
    service(status=Service.Status.ACTIVE)
    for user in (provider, referrer, manager):
        client = Client()
        client.force_login(user, backend=BACKEND)
        assert client.get(QUEUE).status_code == 403
        assert client.post(QUEUE, {"assure": Service.objects.get().pk}).status_code == 403
    assert Client().get(QUEUE).status_code == 302


def test_the_filters_narrow_it(curator):
    square = MultiPolygon(factories.near().buffer(4_000, quadsegs=1), srid=27700)
    area = factories.AreaFactory(name="Preston", outline=square)
    here = service(name="here", source="County", care_type=factories.term("care-type", "befriending"))
    here.service_at_locations.create(location=factories.LocationFactory())
    service(400, name="long ago").service_at_locations.create(location=factories.LocationFactory(point=factories.near(30_000)))
    refuge = service(name="refuge", is_confidential=True)
    refuge.service_at_locations.create(location=factories.LocationFactory())
    assert listed(curator, area=area.code) == ["here"]
    assert listed(curator, source="County") == ["here"]
    assert listed(curator, kind="befriending") == ["here"]
    assert listed(curator, late_days=182) == ["long ago"]
    assert listed(curator) == ["long ago", "here", "refuge"]


def test_the_page_keeps_its_filters_and_takes_nonsense(desk):
    service(name="Tea and Talk", source="County")
    shown = desk.get(QUEUE, {"show": "overdue", "source": "County", "late": "30"}).content.decode()
    assert "Tea and Talk" in shown
    assert "108 days overdue" in shown
    assert "show=never&amp;source=County&amp;late=30" in shown or "source=County&amp;late=30&amp;show=never" in shown
    for name in ("show", "area", "source", "kind", "late", "page"):
        assert desk.get(QUEUE, {name: "🦄" * 500}).status_code == 200


def test_a_curator_rings_and_says_it_is_right(desk, curator):
    one = service()
    Phone.objects.create(service=one, number="01772 123456")
    assert 'href="tel:01772123456"' in desk.get(QUEUE).content.decode()
    answer = desk.post(f"{QUEUE}?show=overdue&source=", {"assure": one.pk})
    assert (answer.status_code, answer.url) == (302, f"{QUEUE}?show=overdue&source=")
    one.refresh_from_db()
    assert (one.assured_date, one.assured_by) == (timezone.localdate(), curator.organization.name)


def test_a_curator_writes_to_chosen_owners_and_watches_the_letters_go(desk):
    chosen, other = service(email="a@example.org"), service(email="b@example.org")
    answer = desk.post(QUEUE, {"send": "chosen", "chosen": [chosen.pk]})
    begun = AssuranceRound.objects.get()
    assert answer.url == reverse("assurance-round", args=[begun.pk])
    shown = desk.get(answer.url).content.decode()
    assert "0 of 1 letter" in shown
    assert 'hx-trigger="every 2s"' in shown
    deliver()
    part = desk.get(answer.url, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 1 letter" in part
    assert "hx-trigger" not in part
    assert "<html" not in part
    assert [letter.to for letter in mail.outbox] == [["a@example.org"]]
    assert not AssuranceLink.objects.filter(service=other).exists()


def test_all_that_were_found_are_asked_whatever_page_they_are_on(desk, monkeypatch):
    monkeypatch.setattr("frontend.views.assurance.PAGE_SIZE", 1)
    for n in range(3):
        service(email=f"{n}@example.org", source="County")
    service(email="x@example.org")
    desk.post(f"{QUEUE}?source=County", {"send": "found"})
    deliver()
    assert sorted(letter.to[0] for letter in mail.outbox) == ["0@example.org", "1@example.org", "2@example.org"]


def test_nobody_chosen_nobody_to_write_to_and_nonsense_are_said_in_words(desk):
    refuge = service(is_confidential=True)
    for sent, words in (
        ({"send": "chosen"}, "Tick at least one record first."),
        ({"send": "chosen", "chosen": ["nonsense"]}, "Tick at least one record first."),
        ({}, "Tick at least one record first."),
        ({"resend": refuge.pk}, "There is nobody to write to"),
    ):
        answer = desk.post(QUEUE, sent, follow=True)
        assert words in answer.content.decode()
    assert not mail.outbox


def test_a_curator_takes_a_link_back_and_notes_that_mail_came_back(desk):
    one = service()
    token = ask(one)
    assert "Take link back" in desk.get(QUEUE).content.decode()
    desk.post(QUEUE, {"revoke": one.pk})
    with pytest.raises(assurance.LinkSpent):
        assurance.read_link(token=token, at=timezone.now())
    desk.post(QUEUE, {"came_back": one.pk})
    assert "Mail came back" in desk.get(QUEUE, {"show": "unreachable"}).content.decode() or AssuranceLink.objects.get().bounced_at


def test_a_report_is_read_and_dealt_with(desk, curator):
    one = service(20)
    report = assurance.report_mistake(
        service_id=one.pk, what="phone", words="<script>alert(1)</script>", reply_to="me@example.org", at=timezone.now()
    )
    shown = desk.get(QUEUE, {"show": "mistakes"}).content.decode()
    assert "&lt;script&gt;" in shown
    assert "<script>alert" not in shown
    desk.post(f"{QUEUE}?show=mistakes", {"mended": report.pk})
    report.refresh_from_db()
    assert (report.status, report.handled_by) == (MistakeReport.Status.MENDED, curator)
    assert desk.post(QUEUE, {"dismissed": report.pk}).status_code == 409


def test_the_file_holds_every_row_of_the_list_and_no_formula(desk):
    service(name="=HYPERLINK(1)", source="County")
    service(name="elsewhere")
    head, row = csv.reader(StringIO(desk.get(reverse("assurance-queue-csv"), {"source": "County"}).content.decode()))
    line = dict(zip(head, row, strict=True))
    assert line["Service"] == "'=HYPERLINK(1)"
    assert (line["Days overdue"], line["Letters go to"], line["Open reports"]) == ("108", "owner@example.org", "0")


def test_the_list_asks_no_more_of_the_database_when_it_is_longer(desk, django_assert_max_num_queries):
    for n in range(12):
        one = service(name=f"S{n}")
        Phone.objects.create(service=one, number="1")
        ask(one)
    with django_assert_max_num_queries(22):
        desk.get(QUEUE)


def deliver() -> None:
    for job in ProcrastinateJob.objects.filter(task_name="catalogue.tasks.send_letter", status="todo"):
        reminders.write(service_ids=job.args["service_ids"], round_id=job.args["round_id"], at=timezone.now())
