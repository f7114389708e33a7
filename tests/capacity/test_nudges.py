"""When a provider is asked, and when it is left in peace."""

import re
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from capacity import ask_queries, asking, demand, nudging, operations, replies
from capacity.asking import Told
from capacity.models import Ask, AskingPreference, ServiceCapacity, UpdateLink
from core import sms
from core.bank_holidays import is_bank_holiday
from core.clock import LONDON
from core.errors import Invalid
from tests import factories

#: A Wednesday, eleven in the morning in England.
AT = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PHONE = "+447700900123"


@pytest.fixture(autouse=True)
def _quiet(settings):
    settings.SITE_URL = "https://lune.example.org"
    sms.KeepingGateway.forget()
    yield
    sms.KeepingGateway.forget()


@pytest.fixture
def waiting(monkeypatch) -> dict:
    """How many people wait near each service."""
    near: dict = {}
    monkeypatch.setattr(demand, "_COUNTERS", [lambda services, at: {pk: near[pk] for pk in services if pk in near}])
    return near


def home(age: timedelta | None = 23 * HOUR, *, channel: str = "email", address: str = "", at: datetime = AT, **how) -> ServiceCapacity:
    """A home whose figure is that old, and which wants to be asked from nine to five on working days."""
    told = {"available": None, "reported_at": None} if age is None else {"reported_at": at - age}
    pool = factories.PoolFactory(service__name="Fir Grove", **told)
    address = address or ("fir@example.org" if channel == "email" else PHONE)
    AskingPreference.objects.create(
        **{"service": pool.service, "channel": channel, "address": address, "changed_at": at - 90 * DAY, "confirmed_at": at - 90 * DAY}
        | how
    )
    return pool


def asked(at: datetime = AT) -> list[tuple]:
    """Whom the clock asks then, and why; the messages go out as a worker would send them."""
    before = set(Ask.objects.values_list("pk", flat=True))
    nudging.nudge_due(at=at)
    new = Ask.objects.exclude(pk__in=before).order_by("created_at")
    found = [(ask.service, ask.why) for ask in new.select_related("service")]
    for ask in new:
        nudging.deliver(ask_id=ask.pk, at=at)
    return found


# --- hours


def preference(days: list[int], first: time, last: time) -> AskingPreference:
    return AskingPreference(days=days, from_time=first, until_time=last)


HOURS = st.builds(
    preference,
    st.lists(st.integers(0, 6), min_size=1, unique=True),
    st.times(max_value=time(22, 59)).map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.just(time(23)),
)


@given(HOURS, st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_chosen_hours_are_those_of_the_clock_on_the_wall(chosen, at):
    here = at.astimezone(LONDON)
    wall = (here.year, here.month, here.day, here.hour, here.minute)
    begins = (here.year, here.month, here.day, chosen.from_time.hour, chosen.from_time.minute)
    allowed = here.weekday() in chosen.days and begins <= wall and here.hour < 23 and not is_bank_holiday(here.date())
    assert nudging.in_hours(chosen, at) == allowed
    again = nudging.next_hours(chosen, at)
    assert again.astimezone(LONDON).date() > here.date()
    assert (
        nudging.in_hours(chosen, again) or again.astimezone(UTC).astimezone(LONDON).time() != chosen.from_time
    )  # an hour that spring skips


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        # The clocks went forward on 29 March 2026 and went back on 25 October.
        (datetime(2026, 3, 27, 8, 59, tzinfo=UTC), False), (datetime(2026, 3, 27, 9, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 30, 7, 59, tzinfo=UTC), False), (datetime(2026, 3, 30, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 23, 15, 59, tzinfo=UTC), True), (datetime(2026, 10, 23, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 10, 26, 16, 59, tzinfo=UTC), True), (datetime(2026, 10, 26, 17, 0, tzinfo=UTC), False),
        # A Saturday, Easter Monday and Christmas Day.
        (datetime(2026, 7, 4, 10, 0, tzinfo=UTC), False), (datetime(2026, 4, 6, 10, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 25, 10, 0, tzinfo=UTC), False),
    ],
)  # fmt: skip
def test_hours_over_clock_changes_weekends_and_bank_holidays(at, allowed):
    assert nudging.in_hours(preference([0, 1, 2, 3, 4], time(9), time(17)), at) == allowed


@given(st.lists(st.integers(0, 14 * 24 * 4), min_size=1, max_size=30), HOURS, st.integers(0, 96))
def test_a_figure_that_is_fresh_now_and_at_the_next_chance_is_left_alone(ticks, chosen, age):
    """Whenever it asks, the figure is old, or gets old before it may ask again."""
    for tick in ticks:
        at = AT + tick * timedelta(minutes=15)
        told, fresh_for = at - age * HOUR, 24 * HOUR
        if nudging.gets_old(chosen, reported_at=told, fresh_for=fresh_for, at=at):
            assert told + fresh_for <= max(at + nudging.LEAD, nudging.next_hours(chosen, at))
        else:
            assert told + fresh_for > at + nudging.LEAD


# --- whom


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "due"), [(HOUR, False), (21 * HOUR, False), (22 * HOUR, True), (30 * HOUR, True), (30 * DAY, True), (None, True)]
)
def test_a_provider_is_asked_shortly_before_its_figure_gets_old(waiting, age, due):
    pool = home(age)
    assert asked() == ([(pool.service, "stale")] if due else [])
    assert len(mail.outbox) == due


@pytest.mark.django_db
def test_on_friday_it_asks_before_the_weekend_what_would_be_old_on_monday(waiting):
    friday = datetime(2026, 7, 3, 15, 30, tzinfo=UTC)
    home(13 * HOUR, at=friday)
    home(3 * HOUR, at=friday, address="new@example.org")
    assert asked(friday - 3 * HOUR) == []
    assert len(asked(friday)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("near", "age", "due"), [(4, 13, True), (1, 13, True), (0, 13, False), (4, 3, False)])
def test_it_asks_earlier_when_people_wait_near_by_but_not_what_was_just_told(waiting, near, age, due):
    pool = home(age * HOUR)
    if near:
        waiting[pool.service_id] = near
    assert asked() == ([(pool.service, "demand")] if due else [])
    words = {4: "4 people near you are waiting for what you offer.", 1: "Some people near you are waiting for what you offer."}
    assert all(words[near] in message.body for message in mail.outbox)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "how",
    [
        {"stopped_at": AT}, {"confirmed_at": None}, {"when_stale": False, "on_demand": False}, {"days": [0, 1, 3]},
        {"from_time": time(11, 1)},
        {"until_time": time(11)}, {"when_stale": False},
    ],
    ids=["stopped", "not confirmed", "neither", "not today", "too early", "too late", "only on demand"],
)  # fmt: skip
def test_nobody_is_asked_against_their_wish(waiting, how):
    home(30 * HOUR, **how)
    assert asked() == []


@pytest.mark.django_db
@pytest.mark.parametrize("hidden", [{"is_confidential": True}, {"is_internal": True}, {"status": "defunct"}])
def test_no_link_goes_out_about_a_service_that_is_not_public(waiting, hidden):
    pool = home(30 * HOUR)
    type(pool.service).objects.filter(pk=pool.service_id).update(**hidden)
    assert asked() == []


@pytest.mark.django_db
def test_never_twice_within_a_stretch_and_ever_less_when_nobody_answers(waiting):
    home(30 * HOUR, days=list(range(7)))
    times = [AT + day * DAY + hours * HOUR for day in range(17) for hours in (0, 5)]
    sent = [at for at in times if asked(at)]
    assert [later - earlier for earlier, later in pairwise(sent)] == [DAY, DAY, 7 * DAY, 7 * DAY]
    row = ask_queries.asked(factories.UserFactory(curator=True), trouble="silent").get()
    assert row.unanswered == len(sent) == 5


@pytest.mark.django_db
def test_an_answer_by_any_route_is_noted_and_the_patience_begins_anew(waiting):
    pool = home(30 * HOUR)
    asked()
    operations.report(pool_id=pool.pk, available=2, by=None, at=AT + HOUR)
    assert asked(AT + 5 * HOUR) == []
    assert Ask.objects.get().answered_at == AT + HOUR
    assert asked(AT + DAY + HOUR) == [(pool.service, "stale")]


@pytest.mark.django_db
def test_an_address_that_answers_for_many_services_is_not_flooded(waiting):
    for _ in range(5):
        home(30 * HOUR)
    assert len(asked()) == nudging.MOST_A_DAY_TO_AN_ADDRESS
    assert asked(AT + HOUR) == []


# --- the message


@pytest.mark.django_db
def test_the_letter_says_what_we_think_how_to_answer_and_how_to_stop(waiting):
    pool = home(23 * HOUR)
    waiting[pool.service_id] = 4
    asked()
    (message,) = mail.outbox
    token = message.body.split("https://lune.example.org/tell/")[1].split("/")[0]
    link = UpdateLink.objects.get()
    assert asking.read_link(token=token, at=AT) == link
    assert (message.to, message.subject, link.sent_to) == (["fir@example.org"], "Fir Grove: 3 beds free?", "fir@example.org")
    words = ("Beds: 3 free, told 23 hours ago", "4 people near you", f"https://lune.example.org/tell/{token}/stop/", "works once")
    assert [word for word in words if word not in message.body] == []
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    asking.use_link(token=token, told={pool.pk: asking.Told("same", pool.version)}, at=AT + HOUR)
    assert Ask.objects.get().answered_at == AT + HOUR


@pytest.mark.django_db
def test_a_text_message_is_short_and_goes_by_the_gateway(waiting):
    home(23 * HOUR, channel="sms")
    asked()
    ((name, to, text),) = sms.KeepingGateway.outbox
    assert (to, Ask.objects.get().gateway_id) == (PHONE, name)
    assert text.startswith("Fir Grove: 3 beds free? Tell us in one tap: https://lune.example.org/tell/")
    assert text.endswith("Reply STOP to stop.")
    assert len(text) <= 160


@pytest.mark.django_db
def test_what_fails_is_tried_again_and_then_shown(waiting, monkeypatch):
    pool = home(23 * HOUR, channel="sms")
    sms.KeepingGateway.away = True
    nudging.nudge_due(at=AT)
    ask = Ask.objects.get()
    with pytest.raises(OSError, match="gateway"):
        nudging.deliver(ask_id=ask.pk, at=AT)
    assert not UpdateLink.objects.exists()
    nudging.give_up(ask_id=ask.pk, at=AT + 2 * HOUR)
    curator = factories.UserFactory(curator=True)
    assert "could not be sent" in ask_queries.asked(curator, trouble="failed").get().failed_because
    sms.KeepingGateway.away = False
    assert not nudging.deliver(ask_id=ask.pk, at=AT + 3 * HOUR)
    sms.KeepingGateway.unknown.add(PHONE)
    assert asked(AT + DAY) == [(pool.service, "stale")]
    assert Ask.objects.first().failed_because == "The text message cannot be delivered to this number."
    assert ask_queries.asked(factories.UserFactory(provider=True)).count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "for_good"), [(550, True), (451, False)])
def test_an_address_that_is_refused_for_good_is_not_tried_again(waiting, monkeypatch, code, for_good):
    home(23 * HOUR)

    def refuse(self, messages):
        raise SMTPRecipientsRefused({"fir@example.org": (code, b"no")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    nudging.nudge_due(at=AT)
    ask = Ask.objects.get()
    if for_good:
        assert not nudging.deliver(ask_id=ask.pk, at=AT)
    else:
        with pytest.raises(SMTPRecipientsRefused):
            nudging.deliver(ask_id=ask.pk, at=AT)
    ask.refresh_from_db()
    assert (ask.failed_at is not None, UpdateLink.objects.count()) == (for_good, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("meanwhile", ["told", "stopped", "moved", "evening"])
def test_what_has_become_needless_before_it_was_sent_is_not_sent(waiting, meanwhile):
    pool = home(23 * HOUR)
    nudging.nudge_due(at=AT)
    at = AT + MINUTE
    match meanwhile:
        case "told":
            operations.report(pool_id=pool.pk, available=2, by=None, at=at)
        case "stopped":
            AskingPreference.objects.update(stopped_at=at)
        case "moved":
            AskingPreference.objects.update(address="new@example.org")
        case "evening":
            at = AT + 9 * HOUR
    assert not nudging.deliver(ask_id=Ask.objects.get().pk, at=at)
    assert (mail.outbox, UpdateLink.objects.count()) == ([], 0)
    assert [ask.failed_because for ask in Ask.objects.all()] == (
        ["The hours in which you may be asked had passed."] if meanwhile == "evening" else []
    )


@pytest.mark.django_db
def test_a_question_is_a_job_that_is_tried_five_times(waiting):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name LIKE 'capacity.ask_tasks%'")
    home(23 * HOUR)
    nudging.nudge_due(at=AT)
    job = ProcrastinateJob.objects.get(task_name="capacity.ask_tasks.send_ask")
    assert job.args == {"ask_id": str(Ask.objects.get().pk)}


# --- several services at one address


def houses(*names: str, channel: str = "sms", **how) -> list[ServiceCapacity]:
    """Homes of one organisation, asked at one address."""
    owner = factories.OrganizationFactory(name="Sunny Homes")
    found = []
    for name in names:
        pool = home(channel=channel, **how)
        type(pool.service).objects.filter(pk=pool.service_id).update(name=name, organization=owner)
        found.append(ServiceCapacity.objects.select_related("service__organization").get(pk=pool.pk))
    return found


@pytest.mark.django_db
@pytest.mark.req("R239")
def test_services_of_one_organisation_at_one_address_are_asked_by_one_message_with_one_link(waiting):
    sunny, fir = houses("Sunny House", "Fir Grove")
    stranger = home(channel="sms")
    factories.PoolFactory(service=sunny.service, name="Dementia beds", available=0, reported_at=AT - 23 * HOUR)
    waiting[sunny.service_id] = 4
    assert len(asked()) == 3
    together, alone = sorted((text for _, _, text in sms.KeepingGateway.outbox), key=len, reverse=True)
    assert "Fir Grove: 3 beds free; Sunny House: Beds 3 free, Dementia beds 0 free? 4 people near you" in together
    assert "Or just answer, like: Fir Grove: 2 " in together
    assert "Sunny" not in alone
    link = UpdateLink.objects.get(service=fir.service)
    assert [service.name for service in link.services()] == ["Fir Grove", "Sunny House"]
    token = re.search(r"/tell/([^/]+)/", together)[1]
    # nobody else's service is behind it; each of these is told by it, once
    with pytest.raises(Invalid):
        asking.use_link(token=token, told={stranger.pk: Told("full", 1)}, at=AT + HOUR)
    asking.use_link(token=token, told={sunny.pk: Told("full", 1), fir.pk: Told("same", 1)}, at=AT + HOUR)
    sunny.refresh_from_db()
    assert (sunny.available, sunny.reported_via) == (0, "link")
    answered = Ask.objects.filter(answered_at__isnull=False).values_list("service__name", flat=True)
    assert sorted(answered) == ["Fir Grove", "Sunny House"]
    assert asking.undo(token=token, at=AT + HOUR + MINUTE).used_at is None
    assert not Ask.objects.filter(answered_at__isnull=False).exists()
    # stop is for all of them
    asking.stop(token=token, at=AT + 2 * HOUR)
    assert AskingPreference.objects.filter(stopped_at=None).get().service == stranger.service


@pytest.mark.django_db
def test_who_has_told_meanwhile_is_left_out_of_the_message_and_many_make_several(waiting, monkeypatch):
    monkeypatch.setattr(nudging, "MOST_TOGETHER", 2)
    first, *_ = houses("Ash", "Beech", "Cedar", channel="email", address="sunny@example.org")
    assert nudging.nudge_due(at=AT) == 3
    leaders = list(Ask.objects.filter(with_ask=None).order_by("service__name"))
    assert [ask.service.name for ask in leaders] == ["Ash", "Cedar"]
    operations.report(pool_id=first.pk, by=None, at=AT + MINUTE)
    for ask in leaders:
        nudging.deliver(ask_id=ask.pk, at=AT + 2 * MINUTE)
    assert [letter.subject for letter in mail.outbox] == ["Beech: 3 beds free?", "Cedar: 3 beds free?"]
    assert not Ask.objects.filter(service=first.service).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("same", (3, 3)), ("none", (0, 0)), ("Sunny House: 2", (3, 2)), ("Fir Grove 1, Sunny House 2", (1, 2)), ("2 beds", None),
        ("2 free at Fir Grove, rest full", None),
    ],
)  # fmt: skip
def test_one_answer_by_text_to_a_question_about_two(waiting, words, figures):
    sunny, fir = houses("Sunny House", "Fir Grove")
    asked()
    reply = replies.receive_sms(message=sms.Inbound(id="1", sender=PHONE, text=words), at=AT + HOUR)
    sunny.refresh_from_db()
    fir.refresh_from_db()
    assert (reply.outcome == "applied", (fir.available, sunny.available)) == (figures is not None, figures or (3, 3)), reply.answer
    told = 2 if words in ("same", "none") or "," in words else 1
    assert Ask.objects.filter(answered_at__isnull=False).count() == (told if figures else 0)
