"""Pathways are configured: what is asked, who reads it, what is late, and that a version stays as it was."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid, NotAllowed
from flow import operations as flow
from flow.models import Pathway, Referral
from flow.pathways import operations
from flow.pathways.adherence import adherence
from flow.pathways.configuration import Configuration, Expected, Question, RoleName, Tool, answered, answers, read
from flow.queries import provider_view
from tests.factories import ReferralFactory, ReferralTaskFactory, ServiceFactory, UserFactory, term
from tests.factories.sharing import PathwayFactory
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db

QUESTIONS = (
    Question("stairs", "Are there stairs at home?", "yes-no", required=True, shown="before"),
    Question("stage", "Which stage?", "choice", shown="before", choices=("In treatment", "After treatment")),
    Question("words", "What matters most to them?", "text"),
    Question("since", "Since when?", "date"),
    Question("falls", "How many falls this year?", "number", shown="before"),
)


def publish(**fields):
    """A published version with these fields."""
    boss = UserFactory(administrator=True)
    draft = operations.start(code="cancer-support", name="Cancer support", for_whom="People with cancer", by=boss, at=timezone.now())
    asked = {
        "configuration": Configuration(**fields),
        "name": "Cancer support",
        "for_whom": "People with cancer",
        "hub_ids": [],
        "note": "",
    }
    operations.change(version_id=draft.pk, by=boss, at=timezone.now(), **asked)
    return operations.publish_version(version_id=draft.pk, by=boss, at=timezone.now())


@pytest.mark.req("R065")
@pytest.mark.req("R084")
def test_what_is_configured_is_read_back_the_same() -> None:
    whole = Configuration(
        questions=QUESTIONS,
        steps=(Expected("answered", 2, "working-days"),),
        care_types=("home-general-residential",),
        outcome_tools=(Tool("ONS4", (0, 42)),),
        role_names=(RoleName("link-worker", "community connector", "E07000123"), RoleName("link-worker", "social prescriber")),
    )
    version = publish(**{name: getattr(whole, name) for name in Configuration.__slots__})
    assert read(version) == whole


@pytest.mark.req("R237")
def test_a_role_is_called_as_it_is_called_there() -> None:
    version = publish(role_names=(RoleName("link-worker", "community connector", "E07000123"), RoleName("link-worker", "link person")))
    assert version.role_name("link-worker", area="E07000123") == "community connector"
    assert version.role_name("link-worker", area="E07000001") == "link person"
    assert version.role_name("hub-worker") == "hub worker"


def test_a_published_version_stays_and_the_next_begins_with_it() -> None:
    version = publish(questions=QUESTIONS)
    boss = UserFactory(administrator=True)
    with pytest.raises(Conflict):
        operations.change(
            version_id=version.pk, configuration=Configuration(), name="X", for_whom="Y", hub_ids=[], note="", by=boss, at=timezone.now()
        )
    version.questions = []
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        version.save()
    draft = operations.draft(pathway_id=version.pathway_id, by=boss, at=timezone.now())
    assert (draft.number, read(draft).questions) == (2, QUESTIONS)
    assert Pathway.objects.get().current.number == 1
    with pytest.raises(NotAllowed):
        operations.draft(pathway_id=version.pathway_id, by=UserFactory(), at=timezone.now())


@pytest.mark.parametrize(
    "wrong",
    [
        {"questions": (Question("words", "What matters?", "text", shown="before"),)},
        {"questions": (Question("born", "Born when?", "date", shown="before"),)},
        {"questions": (Question("one", "Which?", "choice", choices=("A",)),)},
        {"questions": (Question("one", "Which?", "yes-no"), Question("one", "Other?", "yes-no"))},
        {"questions": (Question("Not a code", "Which?", "yes-no"),)},
        {"steps": (Expected("answered", 0, "hours"),)},
        {"steps": (Expected("answered", 2, "hours"), Expected("answered", 3, "hours"))},
        {"care_types": ("no-such-care",)},
    ],
)
def test_what_could_not_be_asked_or_would_tell_who_it_is_is_refused(wrong: dict) -> None:
    with pytest.raises(Invalid):
        publish(**wrong)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ({}, "stairs"),
        ({"stairs": "maybe"}, "stairs"),
        ({"stairs": "yes", "stage": "Third"}, "stage"),
        ({"stairs": "yes", "since": "yesterday"}, "since"),
        ({"stairs": "yes", "falls": "-1"}, "falls"),
        ({"stairs": "yes", "words": "a" * 1001}, "words"),
    ],
)
def test_answers_are_checked_question_by_question(typed: dict, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        answers(publish(questions=QUESTIONS), typed)
    assert refused.value.details["field"] == key


def test_a_provider_reads_before_its_yes_only_what_the_version_shows_and_never_free_words() -> None:
    version = publish(questions=QUESTIONS)
    given = answers(version, {"stairs": "yes", "stage": "In treatment", "words": "Zebedee’s garden", "since": "2026-03-01", "falls": "3"})
    closed = {"closed_at": timezone.now(), "closed_because": "Zebedee died"}
    task = ReferralTaskFactory(referral=ReferralFactory(pathway_version=version, pathway_answers=given, **closed))
    provider = provider_of(task.pool)
    with acting.for_user(provider):  # by the second line as well
        asked = Referral.objects.get(pk=task.referral_id)
        assert (asked.closed_because, set(asked.pathway_answers)) == ("", {"stairs", "stage", "falls"})
    with acting.for_user(UserFactory(organization=task.referral.organization)):
        sent = Referral.objects.get(pk=task.referral_id)
        assert (sent.closed_because, sent.pathway_answers) == ("Zebedee died", given)
    seen = provider_view(task, provider)
    assert dict(seen.profile.answers) == {
        "Are there stairs at home?": "Yes", "Which stage?": "In treatment", "How many falls this year?": "3",
    }  # fmt: skip
    assert seen.identity is None
    flow.accept(task_id=task.pk, by=provider, at=timezone.now())
    task.refresh_from_db()
    after = provider_view(task, provider).identity
    assert after is not None
    assert dict(after.answers)["What matters most to them?"] == "Zebedee’s garden"
    assert dict(after.answers)["Since when?"] == "1 March 2026"
    page = Client()
    page.force_login(provider, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Zebedee’s garden" in page.get(reverse("task", args=[task.pk])).content.decode()


def test_free_words_stay_away_whatever_a_stored_version_says() -> None:
    """The second line: a version that was written past the check."""
    version = PathwayFactory(
        version={"questions": [{"key": "words", "text": "What matters?", "kind": "text", "required": False, "shown": "before"}]}
    ).current
    assert answered(version, {"words": "Canary"}, known=False) == []


@pytest.mark.req("R005")
@pytest.mark.req("R066")
def test_adherence_tells_what_came_late_what_is_overdue_and_who_does_not_belong() -> None:
    steps = (Expected("answered", 1, "hours"), Expected("started", 2, "hours"), Expected("asked", 1, "hours"))
    version = publish(steps=steps, care_types=("home-general-residential",))
    sent = timezone.now() - timedelta(hours=5)
    service = ServiceFactory(care_type=term("care-type", "home-general-nursing"))
    task = ReferralTaskFactory(
        referral=ReferralFactory(pathway_version=version, created_at=sent),
        pool__service=service,
    )
    flow.decline(task_id=task.pk, by=provider_of(task.pool), at=sent + timedelta(hours=3), reason="22")
    found = adherence(task.referral, timezone.now())
    assert found is not None
    assert [(step.words.split(" within")[0], step.state) for step in found.steps] == [
        ("A service has answered", "Late"), ("Support has started", "Overdue"), ("A service was asked", "Overdue"),
    ]  # fmt: skip
    assert found.departures[-1] == f"{service.name} was asked, which is not among the services of this pathway."
    assert adherence(ReferralFactory(), timezone.now()) is None


def test_the_deadline_of_an_answer_is_the_pathways() -> None:
    from flow.deadlines import respond_by

    version = publish(steps=(Expected("answered", 5, "hours"),))
    at = timezone.now()
    referral = ReferralFactory(pathway_version=version, created_at=at)
    assert respond_by(referral, at) == at + timedelta(hours=5)
    referral.urgency = Referral.Urgency.URGENT
    assert respond_by(referral, at) == at + timedelta(hours=2)


def test_the_screen_keeps_what_was_typed_and_shows_a_preview() -> None:
    boss = UserFactory(administrator=True)
    client = Client()
    client.force_login(boss, backend="allauth.account.auth_backends.AuthenticationBackend")
    made = client.post(reverse("pathway-new"), {"name": "Long Covid", "code": "long-covid", "for_whom": "People with long Covid"})
    pathway = Pathway.objects.get()
    assert made.url == reverse("pathway-edit", args=[pathway.pk])
    sets = {f"{prefix}-{name}": number for prefix in "qsor" for name, number in (("TOTAL_FORMS", 1), ("INITIAL_FORMS", 0))}
    typed = sets | {
        "name": "Long Covid", "for_whom": "People with long Covid", "q-0-text": "How far can they walk?", "q-0-kind": "choice",
        "q-0-choices": "A room", "q-0-shown": "before",
    }  # fmt: skip
    refused = client.post(reverse("pathway-edit", args=[pathway.pk]), typed)
    assert refused.status_code == 422
    assert "How far can they walk?" in refused.content.decode()
    saved = client.post(reverse("pathway-edit", args=[pathway.pk]), typed | {"q-0-choices": "A room\nA street"})
    assert saved.url == reverse("pathway", args=[pathway.pk])
    preview = client.get(saved.url).content.decode()
    assert "How far can they walk?" in preview
    assert "A street" in preview
    client.post(reverse("pathway-step", args=[pathway.pk, "publish"]))
    assert pathway.current is not None
    assert pathway.current.questions[0]["key"] == "how-far-can-they-walk"
