"""Who is asked whether a record still holds, when, and what the letter says."""

import re
from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue import reminders, tasks
from catalogue.assurance import answer_link, read_link
from catalogue.models import AssuranceLink, AssuranceRound, Contact, Service
from core.errors import Invalid, NotAllowed
from tests import factories

AT = datetime(2026, 7, 1, 7, 10, tzinfo=UTC)
TODAY = date(2026, 7, 1)
LINK = re.compile(r"https://lune\.example\.org/still-correct/([\w-]{43})/\s")


@pytest.fixture(autouse=True)
def _site(settings, request):
    settings.SITE_URL = "https://lune.example.org"
    request.getfixturevalue("_django_db_helper")
    forget_jobs()  # those of transactional tests stay in the table


def forget_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'catalogue.tasks.send_letter'")


def service(days_ago: int | None = 200, **fields) -> Service:
    checked = None if days_ago is None else TODAY - timedelta(days=days_ago)
    return factories.ServiceFactory(**{"assured_date": checked, "email": "owner@example.org", **fields})


def asked(at: datetime = AT) -> set[Service]:
    return set(reminders.to_ask(at))


def send_all(at: datetime = AT) -> AssuranceRound | None:
    """The morning's work: choose, and write each letter as the worker would."""
    begun = reminders.ask_those_due(at=at)
    deliver(at)
    return begun


def deliver(at: datetime) -> None:
    for job in letters():
        reminders.write(service_ids=job.args["service_ids"], round_id=job.args["round_id"], at=at)
    forget_jobs()


def letters() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="catalogue.tasks.send_letter").order_by("pk"))


pytestmark = pytest.mark.django_db


@pytest.mark.req("R106")
@pytest.mark.parametrize(("days_ago", "due"), [(77, False), (78, True), (92, True), (93, True), (400, True), (None, True), (0, False)])
def test_an_owner_is_asked_from_a_fortnight_before_the_record_is_due(days_ago, due):
    one = service(days_ago)
    assert asked() == ({one} if due else set())


@pytest.mark.parametrize(
    "hidden",
    [
        {"is_confidential": True}, {"is_internal": True}, {"organization__is_confidential": True}, {"status": Service.Status.DEFUNCT},
        {"status": Service.Status.TEMPORARILY_CLOSED},
    ],
)  # fmt: skip
def test_no_letter_goes_out_about_a_record_that_is_not_public(hidden, curator):
    one = service(**hidden)
    assert asked() == set()
    with pytest.raises(Invalid):
        reminders.ask(service_ids=[one.pk], by=curator, at=AT)


def test_a_double_is_not_asked_about():
    kept = service()
    service(merged_into=kept)
    assert asked() == {kept}


def test_the_services_own_address_comes_first_then_the_organisations_then_a_public_contacts():
    own = service(organization__email="office@example.org")
    office = service(email="", organization__email="office@example.org")
    desk = service(email="")
    Contact.objects.create(service=desk, email="desk@example.org", is_public=True)
    private = service(email="")
    Contact.objects.create(service=private, email="person@example.org", is_public=False)
    found = dict(reminders.with_owner(Service.objects.all()).values_list("pk", "owner_email"))
    assert found == {own.pk: "owner@example.org", office.pk: "office@example.org", desk.pk: "desk@example.org", private.pk: ""}
    assert asked() == {own, office, desk}


@pytest.mark.req("R106")
def test_once_in_each_cycle_and_once_more_a_fortnight_later():
    one = service()
    went_out = []
    for day in range(60):
        before = len(mail.outbox)
        send_all(AT + timedelta(days=day))
        went_out += [day] * (len(mail.outbox) - before)
    assert went_out == [0, 14]
    Service.objects.filter(pk=one.pk).update(assured_date=TODAY + timedelta(days=60))  # checked: a new cycle begins
    assert asked(AT + timedelta(days=60 + 77)) == set()
    assert asked(AT + timedelta(days=60 + 78)) == {one}


@pytest.mark.parametrize("answer", ["correct", "change", "closed"])
def test_who_has_answered_is_left_in_peace(answer):
    service()
    send_all()
    answer_link(token=LINK.search(mail.outbox[0].body)[1], answer=answer, content={"phone": "1"}, at=AT)
    assert asked(AT + timedelta(days=20)) == set()


def test_an_address_that_gets_no_mail_is_not_tried_again_but_a_new_one_is():
    one = service()
    send_all()
    AssuranceLink.objects.update(bounced_at=AT)
    assert asked(AT + timedelta(days=20)) == set()
    Service.objects.filter(pk=one.pk).update(email="new@example.org")
    assert asked(AT + timedelta(days=20)) == {one}


@pytest.mark.req("R153")
def test_a_charity_with_25_services_gets_one_letter_with_a_link_for_each():
    charity = factories.OrganizationFactory(charity=True, name="Help Preston", email="Office@example.org")
    names = {f"Group {n}" for n in range(25)}
    for n, name in enumerate(sorted(names)):
        service(name=name, organization=charity, email="" if n % 2 else "office@example.org")
    begun = send_all()
    assert (begun.letters, begun.services) == (1, 25)
    begun.refresh_from_db()
    assert (begun.sent, begun.failed, begun.waiting) == (1, 0, 0)
    (letter,) = mail.outbox
    assert letter.to == ["office@example.org"]
    assert letter.subject == "Are these 25 entries still correct?"
    links = LINK.findall(letter.body)
    assert len(set(links)) == 25
    assert {read_link(token=token, at=AT).service.name for token in links} == names


def test_the_letter_says_what_it_is_about_and_nothing_else():
    service(name="Tea and\nTalk\r\nBcc: all@example.org", organization__name="Tea Friends")
    send_all()
    (letter,) = mail.outbox
    assert letter.subject == "Is this still correct? Tea and Talk Bcc: all@example.org"
    assert letter.recipients() == ["owner@example.org"]
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "Tea and Talk Bcc: all@example.org (Tea Friends)\nLast checked: 13 December 2025\nhttps://lune.example.org/" in letter.body
    assert "works once, and runs out on 31 July 2026" in letter.body
    assert "no account" in letter.body
    assert not letter.attachments


def test_an_owner_of_hundreds_gets_one_letter_a_day_with_fifty():
    factories.ServiceFactory.create_batch(60, email="council@example.org", assured_date=None)
    send_all()
    assert [len(LINK.findall(letter.body)) for letter in mail.outbox] == [50]
    send_all(AT + timedelta(days=1))
    assert [len(LINK.findall(letter.body)) for letter in mail.outbox] == [50, 10]


def test_a_curator_writes_to_owners_whether_due_or_not_and_a_second_press_writes_nothing(curator):
    fresh, never, silent = service(1), service(None, email="b@example.org"), service(email="")
    begun = reminders.ask(service_ids=[fresh.pk, never.pk, silent.pk], by=curator, at=AT)
    assert (begun.letters, begun.services, begun.unreachable, begun.asked_by) == (2, 2, 1, curator)
    reminders.ask(service_ids=[fresh.pk], by=curator, at=AT)  # before the first letter has gone
    deliver(AT)
    assert sorted(letter.to[0] for letter in mail.outbox) == ["b@example.org", "owner@example.org"]
    with pytest.raises(Invalid):
        reminders.ask(service_ids=[fresh.pk], by=curator, at=AT + timedelta(hours=1))


def test_only_keepers_of_the_directory_write_to_owners(provider, referrer, manager):
    one = service()
    for user in (provider, referrer, manager):
        with pytest.raises(NotAllowed):
            reminders.ask(service_ids=[one.pk], by=user, at=AT)


def test_a_letter_that_its_receiver_refuses_is_counted_and_its_links_are_void(monkeypatch):
    service()

    def refuse(self, **kwargs):
        raise SMTPRecipientsRefused({"owner@example.org": (550, b"no such person")})

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    begun = send_all()
    begun.refresh_from_db()
    assert (begun.sent, begun.failed) == (0, 1)
    assert AssuranceLink.objects.get().bounced_at == AT


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_is_tried_again_and_leaves_no_link_behind(monkeypatch):
    service()

    def away(self, **kwargs):
        raise SMTPServerDisconnected("away")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", away)
        reminders.ask_those_due(at=AT)
        work()
    assert not AssuranceLink.objects.exists()
    (job,) = letters()
    assert (job.status, job.attempts) == ("todo", 1)
    assert job.scheduled_at is not None
    reminders.write(service_ids=job.args["service_ids"], round_id=job.args["round_id"], at=AT)
    assert len(mail.outbox) == 1
    assert AssuranceLink.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_worker_writes_the_letters_that_the_clock_asked_for(monkeypatch):
    monkeypatch.setattr("catalogue.reminders.is_time", lambda at: True)
    service(None)
    tasks.ask_those_due.defer(timestamp=0)
    work()
    work()
    (job,) = letters()
    assert job.status == "succeeded"
    assert [letter.to for letter in mail.outbox] == [["owner@example.org"]]
    assert set(job.args) == {"service_ids", "round_id"}  # no token, and no address


def work() -> None:
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
