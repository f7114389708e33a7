"""Asking a service for help without an account: what is kept, who sees it, what becomes of it, and when it is forgotten."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue.dedupe.blockers import in_the_way
from catalogue.models import EligibilityCriterion
from core import sms
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from flow import consents
from flow import operations as referrals
from flow import queries as flow_queries
from flow.models import Patient, Referral, SelfReferral, SelfReferralLink
from flow.self_referral import links, news, operations, queries
from flow.self_referral.operations import Asked
from flow.tasks import forget_self_referrals
from flow.workflow import Action, Status
from tests import factories
from tests.flow.helpers import send

pytestmark = pytest.mark.django_db
State = SelfReferral.State
NAME, PHONE, EMAIL = "Quillfeather", "+447700900123", "zebedee@example.org"


@pytest.fixture
def pool():
    """A befriending group to which people may come by themselves, with three places."""
    factories.OutcodeFactory()
    pool = factories.PoolFactory(service__name="Tea and Talk", service__care_type=factories.term("care-type", "befriending"))
    takes(pool.service, "self", "carer")
    return pool


@pytest.fixture
def staff(pool):
    return factories.UserFactory(provider=True, organization=pool.service.organization)


def takes(service, *codes, rule=EligibilityCriterion.Rule.ACCEPTS):
    for code in codes:
        factories.CriterionFactory(service=service, term=factories.term("referral-source", code), rule=rule)


def asked(**fields) -> Asked:
    told = {
        "for_whom": "me", "given_name": "Zebedee", "family_name": NAME, "birth_date": date(1958, 3, 27), "postcode": "PR1", "phone": PHONE,
        "words": "I see nobody all week.", "needs": ["company"], "agreed": frozenset({"share", "news"}),
    }  # fmt: skip
    return Asked(**(told | fields))


def ask(pool, *, at=None, **fields) -> tuple[SelfReferral, str]:
    at = at or timezone.now()
    token = operations.send(service_id=pool.service_id, asked=asked(**fields), at=at)
    return links.find(token, at=at), token


def test_it_waits_apart_from_all_referrals_and_only_those_who_run_the_service_see_it(pool, staff):
    request, token = ask(pool)
    assert (request.state, request.identity_check, request.share_agreed_at) == (State.RECEIVED, "", request.sent_at)
    assert not Referral.objects.exists()
    assert not Patient.objects.exists()
    curator = factories.UserFactory(curator=True)
    others = [
        factories.UserFactory(), factories.UserFactory(provider=True), factories.UserFactory(manager=True), curator,
        factories.UserFactory(administrator=True), factories.UserFactory(organization=pool.service.organization), AnonymousUser(),
    ]  # fmt: skip
    seen = [SelfReferral.objects.visible_to(user).count() for user in (staff, *others)]
    assert seen == [1] + [0] * len(others)
    # where nobody of the service signs in, a curator answers
    staff.is_active = False
    staff.save()
    assert [SelfReferral.objects.visible_to(user).count() for user in (curator, staff)] == [1, 0]
    assert token not in str(SelfReferralLink.objects.values()), "only the hash is kept"


def test_services_that_do_not_take_it_and_secret_ones_answer_as_if_they_were_not_there(pool):
    takes_none, by_friend, excluded = (factories.ServiceFactory() for _ in range(3))
    takes(by_friend, "friend")
    takes(excluded, "self", rule=EligibilityCriterion.Rule.EXCLUDED)
    assert queries.offer_of(by_friend.pk).for_whom == ("other",)
    assert queries.offer_of(pool.service_id).for_whom == ("me", "other")
    secret = factories.ServiceFactory(is_confidential=True)
    takes(secret, "self")
    hidden = factories.ServiceFactory(organization__is_confidential=True)
    takes(hidden, "self")
    said = set()
    for pk in (takes_none.pk, excluded.pk, secret.pk, hidden.pk, pool.pk):
        with pytest.raises(NotFound) as refused:
            operations.send(service_id=pk, asked=asked(), at=timezone.now())
        said.add(refused.value.message)
        assert not queries.takes_requests(*_service(pk))
    assert len(said) == 1
    assert not SelfReferral.objects.exists()


def _service(pk):
    from catalogue.models import Service
    from catalogue.search import who_may_refer

    service = Service.objects.filter(pk=pk).first() or Service()
    return service, who_may_refer(service) if service.organization_id else {}


def test_a_service_that_becomes_a_secret_is_shown_by_no_link_any_more(pool, staff):
    _, token = ask(pool)
    pool.service.is_confidential = True
    pool.service.save()
    with pytest.raises(NotFound):
        links.find(token, at=timezone.now())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"agreed": frozenset({"news"})}, "share"), ({"phone": "", "email": ""}, "phone"), ({"words": " ", "needs": []}, "words"),
        ({"birth_date": date(2050, 1, 1)}, "age_or_birth"), ({"birth_date": date(1850, 1, 1)}, "age_or_birth"),
        ({"birth_date": None}, "age_or_birth"), ({"birth_date": None, "age": 126}, "age_or_birth"), ({"for_whom": "cat"}, "for_whom"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_and_nothing_is_kept(pool, fields, field):
    with pytest.raises(Invalid) as refused:
        operations.send(service_id=pool.service_id, asked=asked(**fields), at=timezone.now())
    assert refused.value.details["field"] == field
    assert not SelfReferral.objects.exists()
    assert not SelfReferralLink.objects.exists()


@pytest.mark.parametrize(
    "broken",
    [
        {"share_agreed_at": None}, {"given_name": ""}, {"phone": "", "email": ""}, {"birth_date": None}, {"typed": {"words": "x"}},
        {"state": "accepted"}, {"state": "declined"}, {"identity_check": "seen"},
    ],
)  # fmt: skip
def test_the_database_itself_keeps_the_rules(pool, broken):
    request, _ = ask(pool)
    with pytest.raises(IntegrityError), transaction.atomic():
        SelfReferral.objects.filter(pk=request.pk).update(**broken)


@pytest.mark.req("R155")
def test_a_yes_makes_an_ordinary_referral_whose_clock_began_when_the_person_asked(pool, staff):
    asked_at = timezone.now() - timedelta(days=3)
    request, token = ask(pool, at=asked_at, asker_name="", contact_note="After six.")
    at = timezone.now()
    operations.accept(request_id=request.pk, by=staff, at=at, how="phone", expected_version=request.version)
    request.refresh_from_db()
    task = request.referral.tasks.get()
    assert (request.state, request.identity_check, request.identity_checked_by) == (State.ACCEPTED, "phone", staff)
    assert (task.referral.source, task.status, task.requested_at, task.answered_at) == ("self", Status.ACCEPTED, asked_at, at)
    steps = [(row.action, row.by, row.at) for row in task.transitions.all()]
    assert steps == [(Action.SEND, None, asked_at), (Action.ACCEPT, staff, at)]
    pool.refresh_from_db()
    assert (pool.available, task.took_place) == (2, True)
    # the provider goes on as with any referral, and the person follows
    view = flow_queries.provider_view(task, staff)
    assert (view.identity.family_name, view.identity.unchecked, view.profile.needs) == (NAME, None, ("Company and conversation",))
    assert "I see nobody all week." in view.identity.reason
    assert "After six." in view.identity.reason
    assert view.profile.sender_name.startswith("The person themselves")
    assert queries.progress(links.find(token, at=at)).heading == "They said yes"
    referrals.start(task_id=task.pk, by=staff, at=at)
    assert queries.progress(links.find(token, at=at)).heading == "Your help has started"
    # and can still take it back: the place is free again
    operations.withdraw(token=token, at=at)
    task.refresh_from_db()
    pool.refresh_from_db()
    assert (task.status, pool.available) == (Status.CANCELLED, 3)
    assert queries.progress(links.find(token, at=at)).heading == "You took this back"
    with pytest.raises(Conflict):
        operations.withdraw(token=token, at=at)


@pytest.mark.req("R039")
def test_one_service_takes_people_by_themselves_and_from_professionals(pool, staff):
    request, _ = ask(pool)
    operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    sent = send(factories.UserFactory(), [pool]).tasks.get()
    own = Referral.objects.get(source=Referral.Source.SELF).tasks.get()
    assert {line.task: line.sender_kind for line in flow_queries.inbox(staff)} == {sent.pk: "Hospital", own.pk: ""}
    assert sent.referral.source == Referral.Source.PROFESSIONAL


def test_an_age_alone_needs_the_date_of_birth_and_an_unchecked_person_is_said_to_be_so(pool, staff):
    request, _ = ask(pool, birth_date=None, age=67)
    with pytest.raises(Invalid) as refused:
        operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    assert refused.value.details["field"] == "birth_date"
    operations.accept(request_id=request.pk, by=staff, at=timezone.now(), birth_date=date(1958, 3, 27))
    request.refresh_from_db()
    task = request.referral.tasks.get()
    assert flow_queries.provider_view(task, staff).identity.unchecked == request.pk
    operations.check_identity(request_id=request.pk, how="seen", by=staff, at=timezone.now())
    task = referrals.ReferralTask.objects.get()
    assert not flow_queries.provider_view(task, staff).identity.unchecked


def test_a_full_service_says_so_and_one_without_counted_places_takes_them_on_all_the_same(pool, staff):
    request, _ = ask(pool)
    pool.available = 0
    pool.save()
    with pytest.raises(Conflict, match="no place is free"):
        operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    assert not Patient.objects.exists()
    assert not Referral.objects.exists()
    pool.delete()
    operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    made = request.service.capacities.get()
    assert (made.is_open, made.shown_to_public, made.available) == (False, False, None)


def test_the_place_is_chosen_where_there_are_several(pool, staff):
    other = factories.PoolFactory(service=pool.service, location=pool.location, name="Mornings")
    request, _ = ask(pool)
    for wrong in (None, factories.PoolFactory().pk):
        with pytest.raises(Invalid) as refused:
            operations.accept(request_id=request.pk, by=staff, at=timezone.now(), pool_id=wrong)
        assert refused.value.details["field"] == "pool"
    operations.accept(request_id=request.pk, by=staff, at=timezone.now(), pool_id=other.pk)
    assert Referral.objects.get().tasks.get().pool == other


def test_a_curator_notes_what_a_service_that_nobody_signs_in_for_says(pool):
    request, token = ask(pool)
    curator = factories.UserFactory(curator=True)
    operations.accept(request_id=request.pk, by=curator, at=timezone.now(), how="phone")
    task = Referral.objects.get().tasks.get()
    assert (task.status, task.provider, task.transitions.last().by) == (Status.ACCEPTED, pool.service.organization, curator)
    assert queries.progress(links.find(token, at=timezone.now())).heading == "They said yes"


def test_question_and_answer(pool, staff):
    request, token = ask(pool)
    at = timezone.now()
    with pytest.raises(Conflict):
        operations.answer(token=token, words="Nobody asked.", at=at)
    operations.ask_more(request_id=request.pk, words="Can you climb stairs?", by=staff, at=at)
    shown = queries.progress(links.find(token, at=at))
    assert (shown.heading, shown.question) == ("They have a question for you", "Can you climb stairs?")
    operations.answer(token=token, words="Only a few.", at=at)
    request.refresh_from_db()
    assert (request.state, [note.words for note in queries.notes_of(request)]) == (
        State.RECEIVED,
        ["Can you climb stairs?", "Only a few."],
    )


def test_a_no_says_why_and_a_double_says_nothing_of_the_other(pool, staff):
    (first, _), (second, token) = ask(pool), ask(pool, given_name="zebedee", phone="", email=EMAIL)
    listed = queries.listed(staff, states=State.waiting())
    assert [(line.pk, line.alike) for line in listed] == [(first.pk, True), (second.pk, True)]
    assert queries.doubles_of(second, staff) == [first]
    stranger, _ = ask(pool, given_name="Somebody", family_name="Else", phone="+447700900999")
    assert [line.alike for line in queries.listed(staff, states=State.waiting()).filter(pk=stranger.pk)] == [False]
    for wrong in (second.pk, factories.UserFactory().pk):
        with pytest.raises(Invalid):
            operations.mark_double(request_id=second.pk, of_id=wrong, by=staff, at=timezone.now())
    ended, _ = ask(pool, given_name="Once", phone="+447700900111")
    SelfReferral.objects.filter(pk=ended.pk).update(state=State.WITHDRAWN)
    with pytest.raises(Conflict, match="has ended"):
        operations.mark_double(request_id=second.pk, of_id=ended.pk, by=staff, at=timezone.now())
    operations.mark_double(request_id=second.pk, of_id=first.pk, by=staff, at=timezone.now())
    assert queries.progress(links.find(token, at=timezone.now())).heading == "This request is closed"
    with pytest.raises(Invalid):
        operations.decline(request_id=first.pk, reason="99", by=staff, at=timezone.now())
    operations.decline(request_id=first.pk, reason="42", reason_text="Try the club in Leyland.", by=staff, at=timezone.now())
    first.refresh_from_db()
    assert queries.progress(first).words == "They do not go as far as where you live. Try the club in Leyland."


@pytest.mark.parametrize("verb", ["ask_more", "decline", "accept", "check_identity", "mark_double"])
def test_nobody_else_answers_and_nobody_answers_what_they_did_not_see(pool, staff, verb):
    request, _ = ask(pool)
    more = {
        "ask_more": {"words": "Why?"}, "decline": {"reason": "22"}, "accept": {}, "check_identity": {"how": "seen"},
        "mark_double": {"of_id": request.pk},
    }[verb]  # fmt: skip
    call = getattr(operations, verb)
    for user in (factories.UserFactory(provider=True), factories.UserFactory(curator=True), factories.UserFactory()):
        with pytest.raises((NotFound, NotAllowed)):
            call(request_id=request.pk, by=user, at=timezone.now(), **more)
    with pytest.raises(Conflict, match="has changed since you looked"):
        call(request_id=request.pk, by=staff, at=timezone.now(), expected_version=99, **more)
    SelfReferral.objects.filter(pk=request.pk).update(state=State.WITHDRAWN)
    with pytest.raises(Conflict):
        call(request_id=request.pk, by=staff, at=timezone.now(), **more)


def test_a_form_is_kept_goes_on_by_its_link_and_leaves_nothing_half_typed(pool):
    at = timezone.now()
    token = operations.save(service_id=pool.service_id, typed={"words": "I am"}, at=at)
    draft = links.find(token, at=at)
    assert (draft.state, draft.typed) == (State.DRAFT, {"words": "I am"})
    assert not SelfReferral.objects.visible_to(factories.UserFactory(provider=True, organization=pool.service.organization)).exists()
    assert operations.save(service_id=pool.service_id, typed={"words": "I am alone"}, token=token, at=at) == token
    assert operations.send(service_id=pool.service_id, asked=asked(), token=token, at=at) == token
    sent = SelfReferral.objects.get()
    assert (sent.pk, sent.state, sent.typed) == (draft.pk, State.RECEIVED, {})
    assert links.find(token, at=at + timedelta(days=30)) == sent, "the link lives on as long as the request"
    with pytest.raises(Conflict):
        operations.send(service_id=pool.service_id, asked=asked(), token=token, at=at)
    gone = operations.save(service_id=pool.service_id, typed={"words": "x"}, at=at)
    operations.withdraw(token=gone, at=at)
    assert SelfReferral.objects.get() == sent


def test_links_run_out_and_are_ended_and_a_wrong_one_is_the_same(pool):
    request, token = ask(pool)
    at = timezone.now()
    with pytest.raises(NotFound):
        links.find(token, at=at + timedelta(days=61))
    operations.end_links(token=token, at=at)
    for wrong in (token, "A" * 32, ""):
        with pytest.raises(NotFound):
            operations.withdraw(token=wrong, at=at)
    request.refresh_from_db()
    assert request.state == State.RECEIVED


@pytest.mark.parametrize("way", ["email", "sms"])
def test_a_message_says_that_there_is_news_and_nothing_else(pool, staff, settings, way):
    settings.SMS_GATEWAY = "core.sms.KeepingGateway"
    request, _ = ask(pool, email=EMAIL if way == "email" else "")
    assert news.send(request_id=request.pk, at=timezone.now())
    if way == "sms":
        [(_, to, text)] = sms.KeepingGateway.outbox
        sms.KeepingGateway.forget()
        assert to == PHONE
    else:
        [letter] = mail.outbox
        assert letter.to == [EMAIL]
        text = f"{letter.subject}\n{letter.body}"
    assert "There is news" in text
    assert "/my-request/" in text
    secret = ["Tea and Talk", "befriend", "Zebedee", NAME, "PR1", "company", "nobody", pool.service.organization.name, "help"]
    assert [word for word in secret if word.lower() in text.lower()] == []
    token = text.split("/my-request/")[1].split("/")[0]
    assert links.find(token, at=timezone.now()) == request


def test_nothing_is_sent_to_who_did_not_agree_or_said_stop_nor_often_to_one_address(pool, staff):
    at = timezone.now()
    silent, _ = ask(pool, email=EMAIL, agreed=frozenset({"share"}))
    assert not news.send(request_id=silent.pk, at=at)
    request, token = ask(pool, email=EMAIL.upper())
    told = [news.send(request_id=request.pk, at=at) for _ in range(6)]
    assert told == [True] * news.MOST_A_DAY_TO_AN_ADDRESS + [False] * 2
    operations.stop_news(token=token, at=at)
    assert not news.send(request_id=request.pk, at=at + timedelta(days=2))
    assert len(mail.outbox) == news.MOST_A_DAY_TO_AN_ADDRESS


def test_what_they_ticked_is_their_agreement_and_one_that_they_take_back_ends_the_messages(pool, staff):
    request, _ = ask(pool, email=EMAIL)
    at = timezone.now()
    operations.accept(request_id=request.pk, by=staff, at=at, how="phone")
    patient = Patient.objects.get()
    given = {(line.purpose, line.decision, line.source) for line in consents.current(patient)}
    assert given == {("direct-care", "given", "written"), ("email", "given", "written")}
    assert news.send(request_id=request.pk, at=at)
    today = timezone.localdate(at)
    consents.keep(patient, purpose="email", decision="withdrawn", source="said", decided_on=today, by=staff, at=at + timedelta(hours=1))
    assert not news.send(request_id=request.pk, at=at)


def test_each_step_of_the_service_sends_news_with_the_change_itself(pool, staff):
    def waiting() -> int:
        return ProcrastinateJob.objects.filter(task_name="flow.tasks.send_self_referral_news").count()

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'flow.tasks.send_self_referral_news'")
    request, token = ask(pool)
    assert waiting() == 1
    operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    assert waiting() == 2
    referrals.start(task_id=Referral.objects.get().tasks.get().pk, by=staff, at=timezone.now())
    assert waiting() == 3
    operations.withdraw(token=token, at=timezone.now())
    assert waiting() == 3, "who did it themselves need not be told"
    told = Event.objects.filter(type="self-referral.changed")
    assert {tuple(event.audience) for event in told} == {(pool.service.organization_id,)}
    assert NAME not in str(list(Event.objects.values("topics", "data")))


def test_a_known_person_is_not_recorded_twice_once_checked(pool, staff):
    for how in ("phone", "seen"):
        request, _ = ask(pool)
        operations.accept(request_id=request.pk, by=staff, at=timezone.now(), how=how)
    assert Patient.objects.count() == 1
    request, _ = ask(pool)
    operations.accept(request_id=request.pk, by=staff, at=timezone.now())
    assert Patient.objects.count() == 2, "somebody unchecked may only say to be them"


def test_what_nobody_took_on_is_forgotten_after_its_time(pool, staff, settings):
    settings.SELF_REFERRAL_DRAFT_DAYS, settings.SELF_REFERRAL_KEEP_DAYS = 7, 60
    now = timezone.now()
    old, older = now - timedelta(days=8), now - timedelta(days=61)
    operations.save(service_id=pool.service_id, typed={"words": "draft"}, at=old)
    forgotten, _ = ask(pool, at=older)
    operations.ask_more(request_id=forgotten.pk, words="Still there?", by=staff, at=older)
    kept, _ = ask(pool, at=old)
    helped, _ = ask(pool, at=older)
    operations.accept(request_id=helped.pk, by=staff, at=older)
    assert operations.forget(at=now) == 2
    assert set(SelfReferralLink.objects.values_list("request", flat=True)) == {kept.pk}, "no address outlives its link"
    assert set(SelfReferral.objects.values_list("pk", flat=True)) == {kept.pk, helped.pk}
    crons = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert crons[forget_self_referrals.name] == "30 4 * * *"


def test_a_record_is_not_merged_away_while_somebody_waits_for_it(pool, staff):
    request, _ = ask(pool)
    assert any("1 person asked it for help" in words for words in in_the_way(pool.service))
    operations.decline(request_id=request.pk, reason="22", by=staff, at=timezone.now())
    assert not any("asked it for help" in words for words in in_the_way(pool.service))
