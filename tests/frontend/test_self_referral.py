"""The form by which anybody asks a service for help, the link by which they follow it, and the list of those who run the service."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Service
from core.models import AuditEntry
from flow.models import Referral, SelfReferral
from flow.self_referral import operations
from frontend.forms.self_referral import AskForm
from frontend.views.requests import VERBS
from tests import factories
from tests.test_hostile_input import SCRIPT, TEXTS, undrawn

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
FORM = {
    "for_whom": "me", "given_name": "Zebedee", "family_name": "Quillfeather", "age_or_birth": "27/3/1958", "postcode": "PR1 2HE",
    "phone": "07700 900123", "words": "I see nobody all week.", "needs": ["company"], "share": "on", "do": "send",
}  # fmt: skip
State = SelfReferral.State


@pytest.fixture
def service() -> Service:
    factories.OutcodeFactory()
    service = factories.ServiceFactory(name="Tea and Talk", care_type=factories.term("care-type", "befriending"))
    for code in ("self", "carer"):
        factories.CriterionFactory(service=service, term=factories.term("referral-source", code))
    return service


@pytest.fixture
def staff(service) -> Client:
    return browser(factories.UserFactory(provider=True, organization=service.organization))


def browser(user, **options) -> Client:
    client = Client(**options)
    client.force_login(user, backend=BACKEND)
    return client


def strict() -> Client:
    """A browser that sends as origin “null”, as it does from a page with `no-referrer`."""
    return Client(enforce_csrf_checks=True, headers={"Origin": "null"})


def ask(service, **fields):
    return Client().post(reverse("service-ask", args=[service.pk]), FORM | fields)


def text(answer) -> str:
    return answer.content.decode()


def without_secrets(page) -> str:
    """A page without what is another one each time."""
    return re.sub(r"/my-request/[\w-]+|nonce=\"[^\"]+\"|name=\"form\" value=\"[^\"]+\"", "", text(page))


@pytest.mark.parametrize("do", ["send", "save"])
def test_who_presses_twice_has_asked_once(service, do):
    """As a phone does without scripts on a slow line, or whoever goes back and sends again."""
    client, address = Client(), reverse("service-ask", args=[service.pk])
    given = [re.search(r'name="form" value="([^"]+)"', text(client.get(address)))[1] for _ in range(2)]
    assert given[0] != given[1]
    first, again = (client.post(address, FORM | {"do": do, "form": given[0]}) for _ in range(2))
    assert first.url == again.url
    assert SelfReferral.objects.count() == 1
    client.post(address, FORM | {"do": do, "form": given[0], "words": "And I cannot cook."})
    client.post(address, FORM | {"do": do, "form": given[1]})
    assert SelfReferral.objects.count() == 3, "what was changed, or comes from another page, is another request"
    client.post(first.url, {"do": "end" if do == "send" else "withdraw"})
    assert client.post(address, FORM | {"do": do, "form": given[0]}).url != first.url, (
        "what was deleted is asked anew, not led to a dead link"
    )
    wrong = client.post(address, FORM | {"do": "send", "form": given[0], "phone": ""})
    assert f'name="form" value="{given[0]}"' in text(wrong), "a page that comes back with what is wrong is the same page"


@pytest.mark.req("R155")
@pytest.mark.req("R044")
@pytest.mark.req("R082")
def test_from_the_directory_to_the_service_without_an_account(service, staff):
    public = Client()
    form = reverse("service-ask", args=[service.pk])
    assert f'href="{form}"' in text(public.get(reverse("service", args=[service.pk])))
    shown = public.get(form)
    assert (shown.status_code, shown["Cache-Control"], "Wants company" in text(shown)) == (200, "no-store", True)
    answer = ask(service)
    assert (answer.status_code, answer.url.startswith("/my-request/")) == (302, True)
    link = strict().get(answer.url)
    assert (link["Referrer-Policy"], link["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert "They have your request" in text(link)
    assert [word for word in ("Zebedee", "Quillfeather", "PR1", "900123", "nobody all week") if word in text(link)] == []
    # those who run the service read it, and say yes
    request = SelfReferral.objects.get()
    listed = text(staff.get(reverse("requests")))
    assert [word for word in ("Zebedee Quillfeather", "years old", "Company", "Not checked who it is") if word not in listed] == []
    read = text(staff.get(reverse("request", args=[request.pk])))
    assert [word for word in ("nobody all week", "Do not leave a message", "07700 900123", "born 27 March 1958") if word not in read] == []
    assert "Only the people who run this service" in text(public.get(form))
    yes = staff.post(reverse("request-step", args=[request.pk, "accept"]), {"version": request.version, "how": "phone"}, follow=True)
    assert "You said yes. They are now one of your referrals. They agreed to no messages: ring them" in text(yes)
    task = Referral.objects.get().tasks.get()
    assert reverse("task", args=[task.pk]) in text(yes)
    assert "They said yes" in text(strict().get(answer.url))


@pytest.mark.req("R142")
def test_a_practice_that_prompted_somebody_to_ask_is_recorded(service, staff):
    ask(service, told_by="practice")
    request = SelfReferral.objects.get(told_by=SelfReferral.ToldBy.PRACTICE)
    assert "practice told me" in text(staff.get(reverse("request", args=[request.pk])))
    staff.post(reverse("request-step", args=[request.pk, "accept"]), {"version": request.version, "how": "phone"})
    assert "A doctor’s practice told them to ask." in text(staff.get(reverse("task", args=[Referral.objects.get().tasks.get().pk])))


def test_the_answer_is_the_same_whether_or_not_somebody_is_known(service):
    """A patient of the service, somebody who asked before, and a stranger: nobody can learn by the form who is known."""
    factories.PatientFactory(organization=service.organization, given_name="Zebedee", family_name="Quillfeather", postcode="PR1 2HE")
    ask(service)
    answers = [ask(service), ask(service, given_name="Never", family_name="Seen", phone="07700 900999")]
    assert [answer.status_code for answer in answers] == [302, 302]
    pages = [strict().get(answer.url) for answer in answers]
    assert without_secrets(pages[0]) == without_secrets(pages[1])
    assert sorted(pages[0].headers) == sorted(pages[1].headers)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"for_whom": ""}, "Choose who needs the help"), ({"for_whom": "other"}, "Enter your own name"),
        ({"given_name": ""}, "Enter the first name"),
        ({"age_or_birth": "old"}, "Enter a date like"), ({"age_or_birth": "31/2/1958"}, "Enter a date like"),
        ({"age_or_birth": "200"}, "Check the age"), ({"postcode": "ZZ99"}, "We do not know the postcode"),
        ({"postcode": "?"}, "a postcode"),
        ({"phone": "12"}, "Enter a phone number"), ({"phone": ""}, "or an e-mail address"), ({"email": "x@"}, "Enter an e-mail"),
        ({"words": "", "needs": []}, "Say what you need"), ({"share": ""}, "Tick this box"), ({"needs": ["dols"]}, "Select a valid choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_beside_its_box_and_nothing_typed_is_lost(service, wrong, words):
    answer = ask(service, **wrong)
    page = text(answer)
    assert (answer.status_code, words in page, "There is a problem" in page) == (422, True, True)
    kept = [value for name, value in FORM.items() if isinstance(value, str) and name not in (*wrong, "do", "share", "for_whom")]
    assert [value for value in kept if value not in page] == []
    assert not SelfReferral.objects.exists()


def test_no_secret_and_no_other_service_has_the_form_or_says_that_there_is_one(service):
    others = [
        factories.ServiceFactory(), factories.ServiceFactory(is_confidential=True),
        factories.ServiceFactory(organization__is_confidential=True), factories.ServiceFactory(is_internal=True),
    ]  # fmt: skip
    for other in others[1:]:
        factories.CriterionFactory(service=other, term=factories.term("referral-source", "self"))
    everybody = [Client(), browser(factories.UserFactory()), browser(factories.UserFactory(curator=True))]
    for other in others:
        for client in everybody:
            address = reverse("service-ask", args=[other.pk])
            answers = [client.get(address), client.post(address, FORM), client.post(address, FORM | {"do": "save"})]
            assert [answer.status_code for answer in answers] == [404] * 3
            assert "Ask for this service" not in text(client.get(reverse("service", args=[other.pk])))
    nowhere = factories.OrganizationFactory().pk
    assert len({without_secrets(Client().get(reverse("service-ask", args=[pk]))) for pk in (nowhere, *(other.pk for other in others))}) == 1
    assert not SelfReferral.objects.exists()


def test_programs_are_thanked_and_crowds_are_told_to_wait(service, monkeypatch):
    robot = ask(service, website="https://spam.example")
    assert (robot.status_code, robot.url) == (302, reverse("service-asked", args=[service.pk]))
    assert "Thank you" in text(Client().get(robot.url))
    monkeypatch.setattr("frontend.views.self_referral.REQUESTS_AN_HOUR", 1)
    ask(service)
    crowd = ask(service)
    assert (crowd.status_code, "Many requests came from this computer" in text(crowd), "nobody all week" in text(crowd)) == (
        422,
        True,
        True,
    )
    saved = ask(service, do="save")
    assert saved.status_code == 422
    assert SelfReferral.objects.count() == 1
    monkeypatch.setattr("frontend.views.self_referral.A_MINUTE", 1)
    assert Client().get(reverse("service-ask", args=[service.pk])).status_code == 429


def test_save_come_back_send_answer_and_take_back_without_cookies(service, staff):
    saved = ask(service, do="save", share="", email="zebedee@example.org", news="on", age_or_birth="abo")
    draft = text(strict().get(saved.url))
    assert [word for word in ("Nothing has been sent yet", "Zebedee", "nobody all week", "abo", saved.url) if word not in draft] == []
    assert SelfReferral.objects.get().state == State.DRAFT
    assert "Zebedee" not in text(staff.get(reverse("requests")))
    sent = strict().post(saved.url, FORM | {"age_or_birth": "67"})
    assert sent.url == saved.url
    request = SelfReferral.objects.get()
    assert (request.state, request.age, request.news_agreed_at) == (State.RECEIVED, 67, None)
    step = reverse("request-step", args=[request.pk, "ask"])
    assert staff.post(step, {"version": request.version, "words": "Can you climb stairs?"}).status_code == 302
    assert "Can you climb stairs?" in text(strict().get(saved.url))
    assert strict().post(saved.url, {"do": "answer", "words": " "}).status_code == 422
    assert strict().post(saved.url, {"do": "answer", "words": "A few."}).status_code == 302
    assert "A few." in text(staff.get(reverse("request", args=[request.pk])))
    assert strict().post(saved.url, {"do": "answer", "words": "More."}).status_code == 409
    strict().post(saved.url, {"do": "withdraw"})
    assert "You took this back" in text(strict().get(saved.url))
    assert "links are ended" in text(strict().post(saved.url, {"do": "end"}))
    for method in ("get", "post"):
        assert getattr(strict(), method)(saved.url).status_code == 404


def test_a_draft_can_be_deleted_at_once(service):
    saved = ask(service, do="save")
    assert "It is deleted" in text(strict().post(saved.url, {"do": "withdraw"}))
    assert not SelfReferral.objects.exists()
    assert strict().get(saved.url).status_code == 404


def test_looking_changes_nothing_and_somebody_else_at_the_counter_cannot_go_on(service):
    saved = ask(service, do="save")
    before = SelfReferral.objects.values().get()
    strict().get(saved.url)
    strict().head(saved.url)
    assert SelfReferral.objects.values().get() == before
    late = timezone.now() + timedelta(days=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("frontend.views.self_referral.now", lambda: late)
        assert strict().get(saved.url).status_code == 404


@pytest.mark.parametrize("page", ["list", "request"])
def test_each_look_is_audited_and_without_the_audit_nothing_is_shown(service, page, monkeypatch):
    user = factories.UserFactory(provider=True, organization=service.organization)
    requests = [
        factories.SelfReferralFactory(service=service, family_name=f"Quillfeather{number}", phone=f"+44{number}") for number in (1, 2)
    ]
    address = reverse("requests") if page == "list" else reverse("request", args=[requests[0].pk])
    shown = text(browser(user).get(address))
    looks = AuditEntry.objects.filter(user_id=user.pk, record_type="self-referral", action="read", role=user.role)
    expected = [one.pk for one in requests if one.family_name in shown]
    assert sorted(looks.values_list("record_id", flat=True)) == sorted(expected)
    assert len(expected) == (2 if page == "list" else 1)

    def fails(*args, **kwargs):
        raise DatabaseError("the audit is full")

    monkeypatch.setattr(AuditEntry.objects, "bulk_create", fails)
    answer = browser(user, raise_request_exception=False).get(address)
    assert (answer.status_code, "Quillfeather" in text(answer)) == (500, False)


def test_the_list_is_narrowed_by_state_and_service_and_another_organisation_gets_nothing(service, staff):
    other = factories.ServiceFactory(organization=service.organization, name="Garden")
    factories.SelfReferralFactory(service=service, family_name="Tealady")
    factories.SelfReferralFactory(service=other, family_name="Gardener")
    factories.SelfReferralFactory(service=other, family_name="Goneaway", state=State.WITHDRAWN)
    stranger = factories.SelfReferralFactory(family_name="Stranger")

    def names(query: str) -> list[str]:
        page = text(staff.get(reverse("requests") + query))
        return [name for name in ("Tealady", "Gardener", "Goneaway", "Stranger") if name in page]

    assert names("") == ["Tealady", "Gardener"]
    assert names(f"?service={other.pk}") == ["Gardener"]
    assert names("?show=ended") == ["Goneaway"]
    assert names("?service=nonsense&page=99") == ["Tealady", "Gardener"]
    assert staff.get(reverse("requests") + "?show=draft").status_code == 404
    assert staff.get(reverse("request", args=[stranger.pk])).status_code == 404
    for action in ("accept", "ask", "decline", "check", "double"):
        assert staff.post(reverse("request-step", args=[stranger.pk, action]), {"version": 1}).status_code == 404
    assert "2" in re.findall(r"lune-count__number\">(\d+)<[^/]*/span>\s*<a href=\"/requests/\"", text(staff.get(reverse("home"))))


@pytest.mark.parametrize(
    ("action", "sent", "status", "words"),
    [
        ("accept", {}, 422, "Say whether you checked who it is"), ("accept", {"how": "not-yet", "version": 9}, 409, "has changed since"),
        ("ask", {"words": ""}, 422, "Write your question"), ("decline", {}, 422, "Choose the main reason"),
        ("decline", {"reason": "99"}, 422, "Say in a few words"), ("check", {"how": "guess"}, 422, "Select a valid"),
        ("double", {"of": "x"}, 422, "Choose the request that stays"), ("nonsense", {}, 404, "not found"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_on_the_page_itself(service, staff, action, sent, status, words):
    request = factories.SelfReferralFactory(service=service)
    answer = staff.post(reverse("request-step", args=[request.pk, action]), {"version": 1} | sent)
    assert (answer.status_code, words in text(answer)) == (status, True)
    request.refresh_from_db()
    assert (request.state, request.version) == (State.RECEIVED, 1)


def test_no_letter_goes_out_before_somebody_agreed(service):
    ask(service, email="zebedee@example.org")
    operations.save(service_id=service.pk, typed={"email": "zebedee@example.org"}, at=timezone.now())
    assert mail.outbox == []


@pytest.mark.parametrize("nonsense", TEXTS.values(), ids=TEXTS)
def test_nonsense_in_every_box_is_taken_as_text_or_refused_in_words(service, staff, nonsense):
    request = factories.SelfReferralFactory(service=service)
    token = operations.save(service_id=service.pk, typed={}, at=timezone.now())
    boxes = dict.fromkeys([*AskForm.base_fields, "version", "how", "pool", "birth_date", "reason", "reason_text", "of"], nonsense)
    del boxes["website"]
    with undrawn(nonsense):
        answers = [
            *(Client().post(reverse("service-ask", args=[service.pk]), boxes | {"do": do}) for do in ("send", "save", nonsense)),
            *(strict().post(reverse("my-request", args=[token]), boxes | {"do": do}) for do in ("save", "answer", nonsense)),
            *(staff.post(reverse("request-step", args=[request.pk, action]), boxes) for action in VERBS),
            staff.get(reverse("requests"), {"service": nonsense, "page": nonsense}),
        ]
    assert [(answer.status_code, answer.request["PATH_INFO"]) for answer in answers if answer.status_code >= 500] == []
    shown = [strict().get(reverse("my-request", args=[token])), *answers]
    assert [answer.request["PATH_INFO"] for answer in shown if SCRIPT in text(answer)] == []


def test_more_people_cost_no_more_questions(service, staff, django_assert_max_num_queries):
    factories.SelfReferralFactory.create_batch(2, service=service)
    staff.get(reverse("requests"))
    with CaptureQueriesContext(connection) as two:
        staff.get(reverse("requests"))
    factories.SelfReferralFactory.create_batch(10, service=service)
    with django_assert_max_num_queries(len(two)):
        staff.get(reverse("requests"))


def test_where_nobody_of_the_service_signs_in_the_form_says_who_reads_it_and_a_curator_does(service):
    assert "people who keep this directory" in text(Client().get(reverse("service-ask", args=[service.pk])))
    ask(service)
    curator = browser(factories.UserFactory(curator=True))
    request = SelfReferral.objects.get()
    read = text(curator.get(reverse("request", args=[request.pk])))
    assert f"Nobody of {service.organization.name} signs in here" in read
