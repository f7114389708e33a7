"""One event, each person's routes: who is told, by which way, when, in which words, and never of whom."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import connection, connections, transaction
from django.urls import reverse

from catalogue.models import User
from core import sms
from core.clock import LONDON
from core.events import publish
from core.quiet import after_quiet
from flow import operations as flow
from flow.models import Referral, Team
from notifications.journal import Cursor, Row
from notifications.models import Delivery, JournalPlace, Notice, PersonChoices
from notifications.notices import choosing, operations, outbox, preferences, stopping, tasks, timing, words
from notifications.notices.hearing import TYPES
from notifications.notices.kinds import KINDS, Choice, When
from notifications.relay import Relay
from tests.factories import PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send
from tests.notifications.telling import jobs, read_all, send_due, settle_at_once

#: A Monday, ten in the morning by the clock of England.
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CANARIES = ("Zebedee", "Quillfeather", "9434765919", "PR1 9ZQ", "07700900123", "HIV clinic", "Terrence House", "Canary")
MOBILE = "+447700900456"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, request, monkeypatch):
    time_machine.move_to(NOW, tick=False)
    sms.KeepingGateway.forget()
    if not request.node.get_closest_marker("django_db").kwargs.get("transaction"):
        settle_at_once(monkeypatch)


def asked(urgency="routine", **of_sender):
    """A referral of somebody told by strings that occur nowhere else, to a service whose name tells what they have."""
    sender = UserFactory(**of_sender)
    patient = PatientFactory(
        organization=sender.organization, given_name="Zebedee", family_name="Quillfeather", nhs_number="9434765919",
        postcode="PR1 9ZQ", phone="07700900123",
    )  # fmt: skip
    pool = PoolFactory(service__name="HIV clinic", service__organization__name="Terrence House")
    answerer = provider_of(pool)
    task = send(sender, [pool], patient=patient, reason="Canary reason", urgency=urgency).tasks.get()
    return sender, answerer, task


def told(user):
    return list(Notice.objects.filter(user=user).order_by("at", "event_id").values_list("kind", flat=True))


def chosen(user, *, at=NOW, email=When.NOW, text=When.OFF, app=True, quiet=(None, None), **more):
    """One choice for everything."""
    return choosing.choose(
        by=user, at=at, choices={kind.code: Choice(app, email, text) for kind in KINDS}, quiet_from=quiet[0], quiet_until=quiet[1],
        **({"urgent_passes": False, "daily_hour": 8} | more),
    )  # fmt: skip


def with_mobile(user):
    PersonChoices.objects.update_or_create(user=user, defaults={"mobile": MOBILE, "mobile_confirmed_at": NOW})


def everything_sent():
    return "".join(str(message.message()) for message in mail.outbox) + json.dumps(sms.KeepingGateway.outbox)


# --- end to end


@pytest.mark.req("R004")
@pytest.mark.req("R029")
@pytest.mark.req("R080")
def test_each_side_is_told_on_the_site_and_by_an_e_mail_without_any_detail(client):
    sender, answerer, task = asked()
    with_mobile(answerer)
    chosen(answerer, text=When.NOW)
    read_all()
    assert (told(sender), told(answerer)) == ([], ["referral-new"])
    flow.accept(task_id=task.pk, by=answerer, at=NOW)
    read_all()
    assert "referral-answered" in told(sender)
    Notice.objects.filter(kind="follow-up").delete()
    assert set(send_due()) == {"sent"}
    letters = {message.to[0]: message for message in mail.outbox}
    assert set(letters) == {answerer.email, sender.email}
    assert [to for _, to, _ in sms.KeepingGateway.outbox] == [MOBILE]
    assert [canary for canary in CANARIES if canary in everything_sent()] == []
    # The link in the letter leads to the referral, of whoever signs in.
    notice = Notice.objects.get(user=sender)
    assert reverse("notice", args=[notice.pk]) in letters[sender.email].body
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("notices")).content.decode()
    assert "HIV clinic said yes" in page
    assert "Quillfeather" not in page
    assert client.get(reverse("notice", args=[notice.pk])).headers["Location"] == reverse("referral", args=[task.referral_id])
    notice.refresh_from_db()
    assert notice.read_at == NOW


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_the_words_that_leave_are_the_same_whatever_happened(kind):
    """Only a count is ever put into them."""
    assert kind.outside.format() == kind.outside
    assert kind.several.format(count=3).count("3") == 1
    assert not {"service", "answered", "status", "what"} & {part.split("}")[0] for part in kind.several.split("{")[1:]}


def test_only_those_hear_who_may_look_and_nobody_of_their_own_doing():
    sender, answerer, task = asked()
    colleague = UserFactory(organization=sender.organization)
    UserFactory(manager=True, organization=sender.organization)
    stranger = UserFactory(provider=True)
    left = UserFactory(provider=True, organization=answerer.organization, is_active=False)
    chosen(wide := UserFactory(organization=sender.organization), whole_organization=True)
    flow.withdraw(task_id=task.pk, by=sender, at=NOW, reason_text="Not needed")
    read_all()
    assert told(answerer) == ["referral-new", "referral-withdrawn"]
    assert told(sender) + told(colleague) + told(stranger) + told(left) + told(wide) == []
    _, answerer, task = asked()
    flow.decline(task_id=task.pk, by=answerer, at=NOW, reason="22")
    read_all()
    User.objects.filter(pk=sender.pk).update(is_active=False)
    flow_task = send(colleague, [PoolFactory()]).tasks.get()
    flow.decline(task_id=flow_task.pk, by=provider_of(flow_task.pool), at=NOW, reason="22")
    read_all()
    assert (told(colleague), told(wide)) == (["referral-answered"], ["referral-answered"])


def test_single_people_are_named_and_whoever_works_elsewhere_by_now_is_not():
    here, elsewhere, boss = UserFactory(), UserFactory(), UserFactory(administrator=True)
    with transaction.atomic():
        publish(
            "followup.assigned", topics=[f"org:{here.organization_id}"], audience=[here.organization_id],
            data={"to": [str(here.pk), str(elsewhere.pk), "nobody"], "by": str(boss.pk), "follow_up": str(boss.pk)},
        )  # fmt: skip
        publish("followup.due", topics=["region"], audience=[here.organization_id], data={"to": [str(here.pk)], "by": str(here.pk)})
    read_all()
    assert (told(here), told(elsewhere)) == (["follow-up"], [])
    notice = Notice.objects.get()
    assert set(notice.data) == {"follow_up"}
    assert words.link(notice, here) == reverse("follow-up", args=[boss.pk])


def test_an_emergency_is_told_to_managers_at_once_and_where_nobody_manages_to_administrators():
    manager, boss = UserFactory(manager=True), UserFactory(administrator=True)
    for to in ([str(manager.pk)], []):
        with transaction.atomic():
            publish("breakglass.opened", topics=["region"], audience=[manager.organization_id], data={"opening": str(boss.pk), "to": to})
        read_all()
    assert (told(manager), told(boss)) == (["break-glass"], ["break-glass"])
    assert set(Notice.objects.values_list("urgent", flat=True)) == {True}
    assert words.link(Notice.objects.get(user=manager), manager) == reverse("glass-review", args=[boss.pk])
    with transaction.atomic():  # of two homes one has no manager: it is heard for it, too
        homes = [manager.organization_id, UserFactory(provider=True).organization_id]
        publish("breakglass.opened", topics=["region"], audience=homes, data={"opening": str(boss.pk), "to": [str(manager.pk)]})
    read_all()
    assert (told(manager), told(boss)) == (["break-glass"] * 2, ["break-glass"] * 2)


@pytest.mark.parametrize("managed", [True, False])
def test_what_is_late_goes_to_the_team_and_then_to_its_manager(managed):
    sender, answerer, task = asked()
    manager = UserFactory(manager=True, organization=answerer.organization) if managed else None
    data = {"task": str(task.pk), "referral": str(task.referral_id)}
    audience = [sender.organization_id, answerer.organization_id]
    with transaction.atomic():
        publish("referral.overdue", topics=["region"], audience=audience, data=data)
        publish("referral.escalated", topics=["region"], audience=audience, data={**data, "level": "team"})
    read_all()
    assert told(sender) == ["referral-overdue", "referral-escalated"]
    assert told(answerer) == ["referral-new", "referral-overdue", "referral-escalated"]
    Notice.objects.all().delete()
    with transaction.atomic():
        publish("referral.escalated", topics=["region"], audience=audience, data={**data, "level": "manager"})
        publish("referral.overdue", topics=["region"], audience=audience, data={**data, "reminder": True})
    read_all()
    assert told(sender) == ([] if managed else ["referral-escalated"])
    assert told(answerer) == ([] if managed else ["referral-escalated"]) + ["referral-overdue"]
    if manager:
        assert told(manager) == ["referral-escalated"]
        assert words.link(Notice.objects.get(user=manager), manager) == reverse("dashboard")
        [line] = words.lines(Notice.objects.filter(user=manager), manager)
        assert "HIV" not in line.words


def test_a_message_goes_to_the_other_side_and_a_senders_team_steps_in_when_the_sender_is_gone():
    sender, answerer, task = asked()
    mate, other = UserFactory.create_batch(2, organization=sender.organization)
    team = Team.objects.create(organization=sender.organization, name="Discharge", manager=other, created_at=NOW)
    team.members.add(mate)
    Referral.objects.update(team=team)
    about = {"task": str(task.pk), "referral": str(task.referral_id)}
    audience = [sender.organization_id, answerer.organization_id]
    read_all()
    Notice.objects.all().delete()
    with transaction.atomic():
        publish("message.new", topics=["region"], audience=audience, data={**about, "side": "referrer"})
    read_all()
    assert (told(answerer), told(sender)) == (["message"], [])
    User.objects.filter(pk=sender.pk).update(is_active=False)
    with transaction.atomic():
        publish("message.new", topics=["region"], audience=audience, data={**about, "side": "provider"})
        publish("reply.not-delivered", topics=["region"], audience=audience[:1], data=about)
        publish("referral.escalated", topics=["region"], audience=audience, data={**about, "side": "referrer"})
    read_all()
    assert (told(mate), told(answerer)) == (["message", "not-reached"], ["message"])
    assert told(other) == ["referral-escalated"]


# --- when


def london(hour, minute=0, day=23, month=11):
    return datetime(2026, month, day, hour, minute, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("when", "at", "due"),
    [
        (When.NOW, london(10, 12), london(10, 12)),
        (When.HOURLY, london(10, 12), london(11)),
        (When.DAILY, london(7, 59), london(8)),
        (When.DAILY, london(8), london(8, day=24)),
        (When.DAILY, london(9, day=24, month=10), london(8, day=25, month=10)),  # over the night in which the clocks go back
    ],
)
def test_a_digest_comes_at_its_hour_of_the_clock_in_england(when, at, due):
    assert timing.due(when, at=at.astimezone(UTC), daily_hour=8) == due


@pytest.mark.parametrize(
    ("moment", "sent"),
    [(london(20, 59), london(20, 59)), (london(21), london(7, day=24)), (london(3), london(7)), (london(7), london(7)),
     (london(23, day=28, month=3), london(7, day=29, month=3))],
)  # fmt: skip
def test_quiet_hours_hold_a_message_until_they_end(moment, sent):
    assert after_quiet(moment.astimezone(UTC), begins=time(21), ends=time(7)) == sent
    assert after_quiet(moment.astimezone(UTC), begins=time(7), ends=time(7)) == moment


def test_urgent_passes_quiet_hours_for_those_who_let_it():
    _sender, answerer, _ = asked("urgent")
    night = time(9), time(11)
    chosen(answerer, quiet=night, urgent_passes=True)
    colleague = UserFactory(provider=True, organization=answerer.organization)
    chosen(colleague, quiet=night)
    read_all()
    due = dict(Delivery.objects.values_list("user__email", "due_at"))
    assert due == {answerer.email: NOW, colleague.email: NOW + timedelta(hours=1)}
    assert [job["scheduled_at"] for job in jobs()].count(None) == 1


def test_a_digest_is_one_message_that_leaves_out_what_was_read():
    sender, answerer, _ = asked()
    chosen(answerer, email=When.HOURLY)
    for _ in range(2):
        send(sender, [PoolFactory(service__organization=answerer.organization)])
        read_all()
    [delivery] = Delivery.objects.filter(user=answerer)
    assert (delivery.due_at, delivery.notices.count(), len(jobs())) == (NOW + timedelta(hours=1), 3, 1)
    operations.mark_read(notice_id=Notice.objects.filter(user=answerer).first().pk, by=answerer, at=NOW)
    assert send_due(NOW) == []
    assert send_due(NOW + timedelta(hours=1)) == ["sent"]
    assert "2 new referrals wait for your answer." in mail.outbox[0].body
    operations.mark_all_read(by=answerer, at=NOW)
    send(sender, [PoolFactory(service__organization=answerer.organization)])
    read_all()
    operations.mark_all_read(by=answerer, at=NOW + timedelta(minutes=1))
    assert send_due(NOW + timedelta(hours=1)) == [""]
    assert (len(mail.outbox), Delivery.objects.filter(state="not-needed").count()) == (1, 1)


def test_own_choice_before_the_organisations_before_what_suits_the_role():
    manager = UserFactory(manager=True)
    user = UserFactory(organization=manager.organization)
    kind = next(kind for kind in KINDS if kind.code == "referral-moved")
    assert preferences.of_user(user).of(kind).email == When.DAILY
    choosing.choose_for_all(by=manager, at=NOW, choices={kind.code: Choice(True, When.OFF)}, quiet_from=None, quiet_until=None,
                            urgent_passes=True, daily_hour=6)  # fmt: skip
    assert (preferences.of_user(user).of(kind).email, preferences.of_user(user).daily_hour) == (When.OFF, 6)
    chosen(user)
    assert (preferences.of_user(user).of(kind).email, preferences.of_user(user).daily_hour) == (When.NOW, 8)


# --- the way from the journal


@pytest.mark.parametrize("step", ["notices", "deliveries", "job", "place"])
def test_whatever_dies_on_the_way_nothing_is_lost_and_nothing_told_twice(step, monkeypatch):
    _sender, answerer, _ = asked()
    before = JournalPlace.objects.values().first()

    class Killed(BaseException):
        """As of a worker whose machine went."""

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        match step:
            case "notices":
                patch.setattr(outbox, "put_by", die)
            case "deliveries":
                patch.setattr(outbox, "enqueue", die)
            case "job":
                patch.setattr(operations, "_tell_pages", die)
            case "place":
                patch.setattr(JournalPlace, "save", die)
        with pytest.raises(Killed), transaction.atomic():
            operations.read_on(at=NOW)
    assert (Notice.objects.count(), Delivery.objects.count(), jobs(), JournalPlace.objects.values().first()) == (0, 0, [], before)
    for _ in range(2):
        read_all()
    assert (told(answerer), Delivery.objects.count(), len(jobs())) == (["referral-new"], 1, 1)
    assert send_due() == ["sent"]
    assert send_due() == []


@pytest.mark.django_db(transaction=True)
def test_a_slower_transaction_is_not_passed_over():
    """It took its place in the journal first, and commits last."""
    sender, answerer, task = asked()
    read_all()
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as slow:
            slow.execute(
                "INSERT INTO core_event (type, topics, audience, data, at) VALUES ('followup.due', '{}', %s, %s, now())",
                [[sender.organization_id], json.dumps({"to": [str(sender.pk)]})],
            )
            flow.decline(task_id=task.pk, by=answerer, at=NOW, reason="22")
            read_all()
            assert told(sender) == []
            other.commit()
    finally:
        other.close()
    read_all()
    assert sorted(told(sender)) == ["follow-up", "referral-answered"]


def test_what_concerns_nobody_is_passed_over_and_capacity_is_never_read(django_assert_max_num_queries):
    assert not {"capacity.changed", "flow.changed", "service.changed", "notice.changed"} & TYPES
    read_all()
    with transaction.atomic():
        for _ in range(30):
            publish("capacity.changed", topics=["region"], data={"x": 1})
    with django_assert_max_num_queries(6):
        assert operations.read_on(at=NOW)
    assert not operations.read_on(at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM core_event")
        assert JournalPlace.objects.get().event_id == cursor.fetchone()[0]


async def test_the_relay_hints_when_somebody_is_to_be_told_and_not_for_capacity(monkeypatch):
    relay = Relay()

    async def send_nothing(_: object) -> None:
        return None

    monkeypatch.setattr(relay, "_send", send_nothing)
    row = Row(Cursor(1, 1), "capacity.changed", [], None, True)
    await relay._tell([row])
    assert not relay._for_people.is_set()
    await relay._tell([row._replace(type="referral.changed")])
    assert relay._for_people.is_set()
    await relay.redis.aclose()


def test_many_hints_are_one_job():
    assert (tasks.look(), tasks.look(), len(jobs("read_journal"))) == (True, False, 1)


# --- choosing, and stopping


def test_what_is_chosen_on_the_page_holds_and_what_is_wrong_is_said_beside_it(client):
    user, manager = UserFactory(provider=True), UserFactory(manager=True)
    kinds = {kind.code: kind for kind in KINDS}
    for who, page in ((user, "notices-settings"), (manager, "notices-defaults")):
        client.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
        sent = {"daily_hour": "6", "quiet_from": "22:00", "quiet_until": "", "urgent_passes": "on"}
        sent |= {f"{code}-email": "daily" for code in kinds} | {f"{code}-sms": "off" for code in kinds} | {"message-app": "on"}
        answer = client.post(reverse(page), sent)
        assert answer.status_code == 422
        assert "Say from when and until when it is quiet" in answer.content.decode()
        assert client.post(reverse(page), sent | {"quiet_until": "06:00"}).status_code == 302
    own = preferences.of_user(user)
    assert (own.quiet_from, own.quiet_until, own.daily_hour, own.urgent_passes) == (time(22), time(6), 6, True)
    assert own.of(kinds["message"]) == Choice(True, When.DAILY, When.OFF)
    assert own.of(kinds["referral-new"]) == Choice(False, When.DAILY, When.OFF)
    assert preferences.of_user(UserFactory(organization=manager.organization)).daily_hour == 6


def test_one_press_in_a_letter_stops_them_and_signs_nobody_in(client):
    _, answerer, _ = asked()
    read_all()
    send_due()
    [letter] = mail.outbox
    [address] = [part.strip("<>") for part in letter.extra_headers["List-Unsubscribe"].split(",")]
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = "/" + address.split("/", 3)[3]
    assert client.get(path).status_code == 200
    assert preferences.of_user(answerer).email == answerer.email
    strict = type(client)(enforce_csrf_checks=True)
    assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert "sessionid" not in strict.cookies
    assert answerer.email not in strict.get(path).content.decode()
    assert strict.get(reverse("notices")).status_code == 302
    assert preferences.of_user(answerer).email == ""
    assert client.post(path[:-3] + "x/").status_code == 404
    assert client.post(path, {"do": "start"}).status_code == 200
    assert preferences.of_user(answerer).email == answerer.email


def test_a_number_is_used_once_its_code_was_typed_in_and_until_it_writes_stop():
    user = UserFactory(provider=True)
    choosing.set_mobile(number="07700 900456", by=user, at=NOW)
    assert preferences.of_user(user).mobile == ""
    assert choosing.send_code(user_id=user.pk, at=NOW)
    [(_, to, text)] = sms.KeepingGateway.outbox
    code = text[:6]
    with pytest.raises(choosing.Invalid):
        choosing.confirm_mobile(code="0" if code != "0" else "1", by=user, at=NOW)
    choosing.confirm_mobile(code=f"{code[:3]} {code[3:]}", by=user, at=NOW)
    assert preferences.of_user(user).mobile == to == MOBILE
    assert stopping.stop_by_text(sender=MOBILE, text="please do not stop", at=NOW) == 0
    assert stopping.stop(user_id=user.pk, route="sms", because=stopping.BOUNCED, at=NOW)
    stopping.stop_by_text(sender=MOBILE, text=" Stop. ", at=NOW)
    own = PersonChoices.objects.get(user=user)
    assert own.sms_stopped_because == stopping.ASKED, "that the number works again does not undo what they asked for"
    stopping.start(user_id=user.pk, route="sms")
    assert stopping.stop_by_text(sender=MOBILE, text=" Stop. ", at=NOW) == 1
    assert preferences.of_user(user).mobile == ""
