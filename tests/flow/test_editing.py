"""What a sender changes of a referral after it was sent: what it says, by when who is to move, and who hears and reads what of it."""

import re
from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid, NotFound
from core.models import Event
from flow import asking, moves, operations, queries
from flow.casework import story
from flow.consents import Decision, Purpose, Source
from flow.hubs import operations as hubs
from flow.models import Episode, ReferralChange, ReferralTask, ReplyContact, TaskLink
from flow.outside import links
from flow.outside import queries as outside
from flow.workflow import Reason
from notifications.notices import hearing
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory
from tests.faults.test_races import race
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
LATER = NOW + timedelta(hours=10)


@pytest.fixture
def sender():
    return UserFactory()


@pytest.fixture
def pools():
    return PoolFactory.create_batch(2)


@pytest.fixture
def referral(sender, pools):
    return send(sender, pools, at=NOW, reason="Canary Featherstonehaugh fell")


def edit(referral, by, **changes):
    said = {"at": LATER, "why": "The ward rang"} | changes
    return operations.edit_referral(referral_id=referral.pk, by=by, **said)


def tasks_of(referral) -> list[ReferralTask]:
    return list(
        referral.tasks.order_by("pk").select_related("referral__organization", "referral__profile", "referral__patient", "pool__service")
    )


@pytest.mark.req("R008")
def test_what_it_says_is_changed_with_a_row_that_stays_and_deadlines_that_follow(referral, sender):
    change = edit(referral, sender, urgency="urgent", reason="He fell twice", needed_by=LATER.date())
    referral.refresh_from_db()
    assert (referral.urgency, referral.reason, referral.profile.needed_by, referral.edits) == ("urgent", "He fell twice", LATER.date(), 1)
    assert (change.urgency_before, change.reason_before, change.needed_by_before) == ("routine", "Canary Featherstonehaugh fell", None)
    assert (change.urgency, change.why, change.organization_id, change.by) == ("urgent", "The ward rang", sender.organization_id, sender)
    # Two hours are a whole term from now on; those that were asked before had a day, of which ten hours have gone.
    for task in tasks_of(referral):
        assert (task.respond_by, task.version) == (LATER + timedelta(hours=2), 2)
        assert [due[:16] for due in change.deadlines[str(task.pk)]] == [
            f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%M}", f"{LATER + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        ]  # fmt: skip
    assert moves.of_referral(referral, LATER).by == LATER + timedelta(hours=2)
    edit(referral, sender, urgency="routine", at=LATER + timedelta(hours=1))
    assert {task.respond_by for task in tasks_of(referral)} == {NOW + timedelta(days=1)}
    with pytest.raises(ProgrammingError), transaction.atomic():
        ReferralChange.objects.filter(pk=change.pk).update(why="Another")


def test_what_was_searched_for_and_sent_elsewhere_stays_as_it_was(sender, pools):
    stay = EpisodeFactory(patient__organization=sender.organization)
    profile = NeedProfileFactory(organization=sender.organization)
    Episode.objects.filter(pk=stay.pk).update(profile=profile)
    common = {"patient_id": stay.patient_id, "profile_id": profile.pk, "by": sender, "consent": True}
    first = operations.send(**common, pool_ids=[pools[0].pk], at=NOW, episode_id=stay.pk)
    second = operations.send(**common, pool_ids=[pools[1].pk], at=NOW + timedelta(minutes=1))
    for pool in pools:
        [task] = ReferralTask.objects.filter(pool=pool)
        operations.decline(task_id=task.pk, by=provider_of(pool), at=NOW, reason=Reason.CAPACITY)
    edit(first, sender, needed_by=LATER.date())
    edit(first, sender, needed_by=None, at=LATER + timedelta(minutes=1))
    edit(second, sender, needed_by=LATER.date())
    for each in (first, second, profile, stay):
        each.refresh_from_db()
    assert (profile.needed_by, first.profile.needed_by, second.profile.needed_by) == (None, None, LATER.date())
    assert (first.first_profile, stay.profile) == (profile, first.profile)
    # The first is still the one after which another was sent for the same need.
    assert moves.of_referral(first, LATER).side == moves.Mover.NOBODY
    assert moves.of_referral(second, LATER).side == moves.Mover.REFERRER


@pytest.mark.req("R026")
def test_before_a_yes_a_service_reads_codes_and_days_and_after_it_also_why(referral, sender, pools):
    answerer = provider_of(pools[0])
    task = next(task for task in tasks_of(referral) if task.pool == pools[0])
    edit(referral, sender, urgency="urgent", reason="Canary Featherstonehaugh is back", why="Canary Featherstonehaugh rang", at=LATER)
    task.refresh_from_db()
    before = queries.provider_view(task, answerer)
    assert "Featherstonehaugh" not in repr(before)
    assert before.changed[0].words == ("Urgent (before: routine)", "What the team wrote about the person is changed")
    operations.accept(task_id=task.pk, by=answerer, at=LATER + timedelta(minutes=1))
    task.refresh_from_db()
    assert queries.provider_view(task, answerer).changed == ()
    edit(referral, sender, reason="Needs a lift", why="Not the stairs", at=LATER + timedelta(minutes=2))
    task.refresh_from_db()
    [told] = queries.provider_view(task, answerer).changed
    assert (told.words, told.why) == (("What the team wrote about the person is changed",), "Not the stairs")
    assert queries.provider_view(task, answerer).identity.reason == "Needs a lift"


def test_each_side_hears_of_it_once_and_the_story_tells_it_once(referral, sender, pools):
    colleague = UserFactory(organization=sender.organization)
    answerers = [provider_of(pool) for pool in pools]
    operations.decline(task_id=tasks_of(referral)[0].pk, by=provider_of(tasks_of(referral)[0].pool), at=NOW, reason=Reason.CAPACITY)
    edit(referral, colleague, urgency="urgent")
    rows = Event.objects.filter(type="referral.edited").order_by("pk")
    events = [hearing.Happened(id=row.pk, type=row.type, audience=tuple(row.audience), data=row.data, at=LATER) for row in rows]
    told, _ = hearing.hear(events)
    asked = next(user for user in answerers if user.organization_id == tasks_of(referral)[1].provider_id)
    assert sorted((each.kind.code, str(each.user.pk)) for each in told if each.user in (sender, colleague, *answerers)) == sorted(
        [("referral-edited", str(asked.pk)), ("referral-edited", str(sender.pk))]
    )
    said = [entry.words for entry in story.read(user=sender, patient_id=referral.patient_id).entries]
    assert said.count("The referral was changed") == 1
    referral.refresh_from_db()
    entries = [entry for entry in queries.timeline(referral) if entry.action == "edit"]
    assert [(entry.service_name, entry.reason) for entry in entries] == [("The referral", "Urgent (before: routine). The ward rang")]


def test_a_service_that_answers_by_a_link_is_written_to_and_reads_what_changed_but_nothing_typed(sender, pools):
    referral = send(sender, pools[:1], at=NOW)
    kitchen = ReplyContact.objects.create(
        service=pools[0].service, name="The kitchen", email="desk@sunny.example", check_made="published", created_at=NOW
    )
    edit(referral, sender, urgency="urgent", reason="Canary Featherstonehaugh", why="Canary Featherstonehaugh")
    [task] = tasks_of(referral)
    assert ProcrastinateJob.objects.get(task_name__endswith="send_task_link").args == {"task_id": str(task.pk)}
    token = links.issue(task, kitchen, kind=TaskLink.Kind.SENT, channel="email", at=LATER)
    shown = outside.page(token, at=LATER)
    assert [change.words[0] for change in shown.changed] == ["Urgent (before: routine)"]
    assert "Featherstonehaugh" not in repr(shown)


def test_a_service_that_would_not_fit_any_more_is_told_before_it_is_saved(sender):
    waits, plain, yes = PoolFactory(available=0, maximum=None, status="waitlist"), PoolFactory(), PoolFactory()
    referral = send(sender, [waits, plain, yes], wanted=2, at=NOW)
    operations.accept(task_id=referral.tasks.get(pool=waits).pk, by=provider_of(waits), at=NOW)
    with pytest.raises(Conflict, match="waiting list is too long") as refused:
        edit(referral, sender, needed_by=LATER.date())
    assert refused.value.code == "no-longer-fits"
    assert [(one["pool"], one["said_yes"]) for one in refused.value.details["services"]] == [(str(waits.pk), True)]
    assert not ReferralChange.objects.exists()
    assert not Event.objects.filter(type="referral.edited").exists()
    edit(referral, sender, needed_by=LATER.date(), unfit="keep")
    assert {task.status for task in tasks_of(referral)} == {"accepted", "requested"}
    edit(referral, sender, needed_by=None, at=LATER + timedelta(minutes=1))
    edit(referral, sender, needed_by=LATER.date(), unfit="withdraw", at=LATER + timedelta(minutes=2))
    taken = referral.tasks.get(pool=waits)
    assert (taken.status, taken.status_reason_text) == ("cancelled", "It does not fit what is needed now. The ward rang")
    assert set(referral.tasks.exclude(pool=waits).values_list("status", flat=True)) == {"requested"}


def test_in_order_what_is_still_to_be_asked_is_looked_at_too(sender):
    plain, waits = PoolFactory(), PoolFactory(available=0, maximum=None, status="waitlist")
    referral = send(sender, [plain, waits], in_order=True, at=NOW)
    with pytest.raises(Conflict, match=waits.service.name):
        edit(referral, sender, needed_by=LATER.date())
    edit(referral, sender, needed_by=LATER.date(), unfit="withdraw")
    assert list(referral.queue.order_by("position").values_list("state", flat=True)) == ["asked", "dropped"]


def test_what_is_closed_finished_or_asked_by_themselves_stays_as_it_is(referral, sender, pools):
    with pytest.raises(Invalid, match="Nothing is different"):
        edit(referral, sender, urgency="routine")
    with pytest.raises(Invalid, match="why"):
        edit(referral, sender, urgency="urgent", why="  ")
    for wrong in (
        {"urgency": "soon"},
        {"needed_by": NOW.date() - timedelta(days=1)},
        {"answer_within": timedelta(minutes=1)},
        {"wanted": 2},
    ):
        with pytest.raises(Invalid):
            edit(referral, sender, **wrong)
    for who, refusal in ((provider_of(pools[0]), NotFound), (UserFactory(), NotFound), (UserFactory(manager=True), NotFound)):
        with pytest.raises(refusal):
            edit(referral, who, urgency="urgent")
    asking.close(referral_id=referral.pk, reason="Enough", by=sender, at=NOW)
    with pytest.raises(Conflict) as refused:
        edit(referral, sender, urgency="urgent")
    assert refused.value.code == "locked"
    done = send(sender, [PoolFactory()], at=NOW)
    task = done.tasks.get()
    for verb in (operations.accept, operations.start):
        verb(task_id=task.pk, by=provider_of(task.pool), at=NOW)
    edit(done, sender, reason="Support goes on, and he has moved")
    operations.complete(task_id=task.pk, by=provider_of(task.pool), at=LATER)
    with pytest.raises(Conflict, match="finished"):
        edit(done, sender, urgency="urgent")


def test_nothing_more_is_told_of_somebody_who_took_back_their_agreement(referral, sender):
    operations.record_consent(
        patient_id=referral.patient_id, purpose=Purpose.CARE, decision=Decision.WITHDRAWN, source=Source.SAID, decided_on=NOW.date(),
        by=sender, at=NOW + timedelta(minutes=1),
    )  # fmt: skip
    with pytest.raises(Conflict) as refused:
        edit(referral, sender, reason="More of it")
    assert refused.value.code == "consent-withdrawn"


def test_a_hub_that_has_it_works_with_the_new_deadline_and_is_told(sender):
    hub = HubFactory()
    AgreementFactory(organization=sender.organization, with_organization=hub.organization, purpose="triage")
    patient, profile = PatientFactory(organization=sender.organization), NeedProfileFactory(organization=sender.organization)
    entry = hubs.send(patient_id=patient.pk, profile_id=profile.pk, hub_id=hub.pk, by=sender, at=NOW, consent=True)
    at = NOW + timedelta(minutes=30)
    edit(entry.referral, sender, urgency="urgent", at=at)
    entry.refresh_from_db()
    assert (entry.due_at, entry.version) == (at + timedelta(hours=2), 2)
    [told] = Event.objects.filter(type="referral.edited", audience=[hub.organization_id])
    assert told.data["to"] == [str(hub.team.members.get().pk)]
    hubs.withdraw(entry_id=entry.pk, words="Enough", by=sender, at=at)
    with pytest.raises(Conflict, match="withdrawn"):
        edit(entry.referral, sender, urgency="routine", at=at)


# --- the API


class Desk:
    def __init__(self, referral, sender) -> None:
        self.referral, self.sender = referral, sender
        self.address = f"/api/v1/referrals/{referral.pk}/"

    def api(self, user=None) -> APIClient:
        api = APIClient()
        api.force_authenticate(user or self.sender)
        return api

    def tag(self) -> str:
        return self.api().get(self.address).headers["ETag"]

    def patch(self, body, *, tag=None, key=None, by=None):
        headers = ({"If-Match": tag} if tag else {}) | ({"Idempotency-Key": key} if key else {})
        return self.api(by).patch(self.address, {"why": "The ward rang"} | body, format="json", headers=headers)


@pytest.fixture
def desk(referral, sender) -> Desk:
    return Desk(referral, sender)


@pytest.mark.req("R213")
def test_over_the_api_a_change_names_what_it_was_made_on_and_is_made_once(desk):
    tag = desk.tag()
    assert desk.patch({"urgency": "urgent"}).status_code == 428
    first, again = (desk.patch({"urgency": "urgent", "answer_within": 60}, tag=tag, key="once") for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (200, 200, "true")
    assert (first.json()["urgency"], first.json()["answer_within"], again.json()["edits"]) == ("urgent", 60, 1)
    late = desk.patch({"reason": "Other words"}, tag=tag)
    assert (late.status_code, late.json()["code"]) == (412, "stale-version")
    assert desk.patch({"reason": "Other words"}, tag=desk.tag()).json()["reason"] == "Other words"
    assert desk.patch({"urgency": "soon"}, tag=desk.tag()).status_code == 400
    assert desk.patch({"urgency": "routine"}, tag=desk.tag(), by=UserFactory()).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_edits_made_at_once_on_the_same_reading_one_is_made_and_none_is_lost():
    sender = UserFactory()
    referral = send(sender, [PoolFactory()], reason="First")
    desk = Desk(referral, sender)
    left = ["One", "Two", "Three", "Four"]
    while left:
        tag = desk.tag()
        answers = race(*[lambda words=words, tag=tag: (words, desk.patch({"reason": words}, tag=tag).status_code) for words in left])
        assert sorted(code for _, code in answers) == [200] + [412] * (len(left) - 1)
        left = [words for words, code in answers if code == 412]
    chain = list(ReferralChange.objects.order_by("number").values_list("reason_before", "reason"))
    assert [before for before, _ in chain] == ["First", *(after for _, after in chain[:-1])]
    assert len(chain) == 4


# --- the page


def mark_of(page) -> str:
    """On what was read the form is made."""
    return re.search(r'name="mark" value="(\w+)"', page.content.decode())[1]


def test_the_page_begins_with_what_it_says_keeps_what_was_typed_and_shows_what_a_colleague_changed(client, referral, sender):
    address = reverse("referral-edit", args=[referral.pk])
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(address)
    assert "Canary Featherstonehaugh fell" in page.content.decode()
    typed = {"mark": mark_of(page), "urgency": "urgent", "reason": "Mine", "needed_by": "", "answer_within": "1.5", "why": ""}
    assert client.post(address, typed).status_code == 422
    edit(referral, UserFactory(organization=sender.organization), reason="Theirs", at=timezone.now())
    late = client.post(address, typed | {"why": "The ward rang"})
    said = late.content.decode()
    assert late.status_code == 409
    assert "Theirs" in said
    assert "Mine" in said
    again = client.post(address, typed | {"why": "The ward rang", "mark": mark_of(late)})
    assert again.status_code == 302
    referral.refresh_from_db()
    assert (referral.reason, referral.urgency, referral.answer_within) == ("Mine", "urgent", 90)
    shown = client.get(reverse("referral", args=[referral.pk])).content.decode()
    assert shown.count("What the service should know, which was: “Theirs”") == 1
    asking.close(referral_id=referral.pk, reason="Enough", by=sender, at=timezone.now())
    assert client.get(address).status_code == 302


def test_the_page_asks_what_becomes_of_a_service_that_would_not_fit(client, sender):
    referral = send(sender, [PoolFactory(available=0, maximum=None, status="waitlist"), PoolFactory()])
    address = reverse("referral-edit", args=[referral.pk])
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    mark = mark_of(client.get(address))
    typed = {"mark": mark, "urgency": "routine", "needed_by": timezone.localdate().isoformat(), "why": "Home on Friday"}
    asked = client.post(address, typed)
    assert asked.status_code == 409
    assert 'name="unfit"' in asked.content.decode()
    assert client.post(address, typed | {"unfit": "withdraw"}).status_code == 302
    assert sorted(referral.tasks.values_list("status", flat=True)) == ["cancelled", "requested"]
