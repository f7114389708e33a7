"""Nonsense and malice in every box: refused in words or taken as text, never a fault of ours and never run.

Each nonsense is put in all boxes of a form at once, and in single boxes: in each of them by `make nightly`, otherwise in every sixth, drawn
from the names of both. So it is with the pages of the answers: `make nightly` makes all, otherwise every sixth, and each with a script.
"""

import csv
import json
import os
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from unittest.mock import patch
from uuid import uuid4
from zlib import crc32

import pytest
from django.template.backends.jinja2 import Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from capacity.asking import issue_link
from catalogue.models import Contact, Phone, Service
from frontend.forms.what_if import WhatIfForm
from frontend.presenters.worklist import Filters, as_csv, found
from matching.operations import match
from notifications.notices import stopping
from tests.factories import (
    EpisodeFactory,
    NeedProfileFactory,
    OutcodeFactory,
    PatientFactory,
    PoolFactory,
    ReferralTaskFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SCRIPT = "<script>alert(1)</script>"
TEXTS = {
    "long": "x" * 20_000, "NUL": "a\0b", "huge number": "9" * 400, "more digits than Python reads": "9" * 5_000, "negative": "-1",
    "script": SCRIPT, "unicode": "🦄\u202e\uffff",
    "lone surrogate": "\\ud800", "quote": "'\");--", "not a number": "NaN", "infinite": "1e999",
    "empty": "", "spaces": "   ",
}  # fmt: skip


class Stage:
    """A referrer and a provider with a request between them, and a curator."""

    def __init__(self) -> None:
        OutcodeFactory()
        self.referrer, self.curator, self.manager = UserFactory(), UserFactory(curator=True), UserFactory(manager=True)
        self.patient = PatientFactory(organization=self.referrer.organization)
        self.stay = EpisodeFactory(patient=self.patient)
        self.pool = PoolFactory()
        self.profile = NeedProfileFactory(organization=self.referrer.organization)
        self.run = match(self.profile, by=self.referrer, at=timezone.now())
        self.task = ReferralTaskFactory(
            referral__patient=self.patient,
            referral__organization=self.referrer.organization,
            referral__profile=self.profile,
            pool=self.pool,
        )
        self.provider = UserFactory(provider=True, organization=self.pool.service.organization)
        self.link = issue_link(service=self.pool.service, channel="email", sent_to="a@example.org", at=timezone.now())[1]

    def forms(self):
        """Who, address, and the names that its form takes."""
        run, task, referral = self.run.pk, self.task.pk, self.task.referral_id
        need = "age sex postcode care_types needs must_haves preferences miles within drives funding budget_week languages"
        need += " conditions practice referral_source marks all_wanted activation_level carried_only"
        person = (
            "given_name family_name nhs_number nhs_checked_how birth_date sex address postcode phone email preferred_contact contact_note"
        )
        person += " preferred_language needs_interpreter access_needs"
        stay = "kind ward discharge_pathway ready_on delay_reason"
        whole_stay = (
            "ward started_on discharge_pathway criteria_to_reside reside_reviewed_on expected_on ready_on delay_reason version action"
        )
        whose = [self.patient.pk]
        what_if = " ".join(name for _, names in WhatIfForm.PARTS for name in names) + " policies days seeds name"
        asking = "channel address days from_time until_time when_stale on_demand everywhere code"
        return [
            (self.referrer, reverse("find"), need),
            (self.referrer, reverse("patient-new"), f"{person} {stay}"),
            (self.referrer, reverse("patient-edit", args=whose), f"{person} version"),
            (self.referrer, reverse("patient-consent", args=whose), "purpose kind decision source decided_by basis decided_on"),
            (self.referrer, reverse("around-new", args=whose), "name relation care is_next_of_kin may_be_told phone email note"),
            (self.referrer, reverse("stay", args=[*whose, self.stay.pk]), whole_stay),
            (self.referrer, reverse("send", args=[run]), "patient pools hold urgency reason consent"),
            (self.referrer, reverse("refer-paper"), f"{person} care service reason channel sector sender received_on consent run pool do"),
            (self.referrer, reverse("letter-new", args=[referral]), "call language large"),
            (self.referrer, reverse("batch-new"), "action keys batch reason delay expected team words due"),
            (self.referrer, reverse("worklist-search"), "words filters"),
            (self.referrer, reverse("worklist-view-save"), "name filters shared first"),
            (None, reverse("launch"), "token"),
            (self.referrer, reverse("referral-step", args=[referral, task, "withdraw"]), "reason version"),
            (self.provider, reverse("task-step", args=[task, "decline"]), "reason reason_text version"),
            (self.provider, reverse("place", args=[self.pool.pk]), "version action available maximum status note"),
            (self.provider, reverse("asking-service", args=[self.pool.service_id]), f"do {asking}"),
            (None, reverse("tell", args=[self.link]), f"all version-{self.pool.pk} do-{self.pool.pk} number-{self.pool.pk} because"),
            (self.provider, reverse("board-screens"), "name"),
            (self.manager, reverse("what-if-new"), what_if),
            (self.manager, reverse("webhooks"), "name url types"),
            (self.manager, reverse("notices-defaults"), "quiet_from quiet_until daily_hour urgent_passes message-email message-app"),
            (self.referrer, reverse("notices-mobile"), "mobile code do"),
            (None, reverse("notices-stop", args=[stopping.token(self.referrer.pk, "email")]), "do"),
            (None, reverse("account_login"), "login password next"),
            (None, reverse("account_reset_password"), "email"),
        ]  # fmt: skip

    def searches(self):
        run = self.run.pk
        return [
            (self.referrer, reverse("worklist"), "show kind pathway delay ward status move overdue days team sort named page"),
            (self.referrer, reverse("worklist-csv"), "show ward team days sort named"),
            (self.referrer, reverse("find"), "patient profile care"),
            (self.referrer, reverse("match", args=[run]), "patient pools"),
            (self.referrer, reverse("match-compare", args=[run]), "pools patient"),
            (self.manager, reverse("unmet"), "days care area reason page"),
            (self.referrer, reverse("match-why-not-search", args=[run]), "q patient"),
            (self.referrer, reverse("send", args=[run]), "pools patient"),
            (self.provider, reverse("inbox"), "show page"),
            (None, reverse("directory"), "q care_type where miles status page"),
            (self.provider, reverse("board"), "area kind provider look"),
            (self.manager, reverse("what-if"), "page"),
            (self.manager, reverse("notices"), "show kind page"),
            (self.manager, reverse("caught"), "route q page"),
            (self.referrer, reverse("api-notices"), "unread kind page per_page"),
            (self.curator, reverse("imports"), "page"),
            (self.curator, reverse("duplicates"), "decision sure source area q page"),
            (self.curator, reverse("merges"), "page"),
            (self.curator, reverse("replies"), "outcome channel q page"),
            (self.referrer, reverse("api-services"), "text care_type postcode within_miles status page per_page"),
            (self.referrer, reverse("api-capacities"), "service care_type rag page per_page"),
            (self.referrer, reverse("api-taxonomy-terms"), "taxonomy page"),
            (self.provider, reverse("api-tasks"), "status page per_page"),
            (self.referrer, reverse("api-patients"), "page per_page"),
        ]

    def bodies(self):
        need = "age postcode care_types sex needs must_haves languages funding referral_source budget_week max_miles drives needed_by"
        need += " conditions practice marks all_wanted activation_level carried_only"
        person = "nhs_number nhs_checked_how given_name family_name birth_date sex address postcode phone email preferred_contact"
        person += " contact_note preferred_language needs_interpreter access_needs is_another"
        stay = "kind ward discharge_pathway started_at criteria_to_reside reside_reviewed_on ready_at expected_on delay_reason"
        consent = "purpose kind decision source decided_by basis decided_on"
        return [
            (self.referrer, "post", reverse("api-match-runs"), need),
            (self.referrer, "post", reverse("cds-service", args=["services-for-problem"]), "hook hookInstance context prefetch"),
            (self.referrer, "post", reverse("api-patients"), person),
            (self.referrer, "patch", reverse("api-patient", args=[self.patient.pk]), person),
            (self.referrer, "post", reverse("api-patient-episodes", args=[self.patient.pk]), stay),
            (self.referrer, "patch", reverse("api-episode", args=[self.stay.pk]), stay),
            (self.referrer, "post", reverse("api-patient-consents", args=[self.patient.pk]), consent),
            (self.referrer, "post", reverse("api-referrals"), "patient profile pools hold_pools episode match_run urgency reason consent"),
            (self.provider, "post", reverse("api-task-step", args=[self.task.pk, "decline"]), "reason reason_text version"),
            (self.provider, "patch", reverse("api-capacity", args=[self.pool.pk]), "available maximum status note is_open observed_at"),
            (self.provider, "post", reverse("api-capacity-reports"), "reports"),
            (self.manager, "post", reverse("api-webhooks"), "name url types"),
            (self.provider, "put", reverse("fhir-service", args=[self.pool.pk]), "resourceType id extension meta"),
        ]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def browser(user) -> Client:
    """A browser in which this user is signed in: one for each user, for signing in takes as long as asking."""
    if user is None:
        return Client(raise_request_exception=False)
    if "browser" not in vars(user):
        user.browser = Client(raise_request_exception=False)
        user.browser.force_login(user, backend=BACKEND)
    return user.browser


def is_fine(answer) -> bool:
    return answer.status_code < 500 and SCRIPT not in (b"" if answer.streaming else answer.content).decode()


def is_tried(what: str, text: object) -> bool:
    """Whether this is tried with this nonsense: always by `make nightly`, otherwise with every sixth, always the same."""
    each = int(os.environ.get("LUNE_NONSENSE_EVERY", "6"))
    return crc32(f"{what} {str(text)[:40]}".encode(errors="replace")) % each == 0


def alone(names: str, text: object) -> list[str]:
    """The boxes into which this nonsense is put alone."""
    return [name for name in names.split() if is_tried(name, text)]


def undrawn(text: str) -> AbstractContextManager:
    """Answers without their pages, which take most of the time; but a script is looked for."""
    return nullcontext() if text == SCRIPT else patch.object(Template, "render", return_value="")


def drawn(place: object, text: str) -> AbstractContextManager:
    """The answer of a form of which all boxes hold nonsense, with its page where that is tried. `place` is the same in each run."""
    return nullcontext() if is_tried(f"page {place}", text) else undrawn(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_forms_take_nonsense_as_nonsense(stage, text):
    for place, (user, address, names) in enumerate(stage.forms()):
        client = browser(user)
        with drawn(place, text):
            answers = {"all": client.post(address, dict.fromkeys(names.split(), text))}
        with undrawn(text):
            answers |= {name: client.post(address, {name: text}) for name in alone(names, text)}
        assert {name: answer.status_code for name, answer in answers.items() if not is_fine(answer)} == {}, address


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_searches_take_nonsense_as_nonsense(stage, text):
    for place, (user, address, names) in enumerate(stage.searches()):
        client = browser(user)
        with drawn(place, text):
            assert is_fine(client.get(address, dict.fromkeys(names.split(), text))), address
        with undrawn(text):
            for name in alone(names, text):
                answer = client.get(address, {name: text})
                assert is_fine(answer), f"{address} {name}: {answer.status_code}"


JSON = {
    "a text": "x", "long": "x" * 20_000, "NUL": "a\0b", "number": 10**30, "negative": -1, "null": None, "list": [[]], "object": {"a": {}},
    "true": True, "wrong id": "1234",
    "unknown id": "6d1f4f0e-5c5e-4f0a-9a52-3b1f0c7b8e11", "texts": ["x", "\0"], "fraction": 0.5, "surrogate": "\ud800", "script": SCRIPT,
}  # fmt: skip


@pytest.mark.parametrize("value", JSON.values(), ids=JSON)
def test_the_api_refuses_what_it_cannot_read(stage, value):
    for user, method, address, names in stage.bodies():
        client = browser(user)
        bodies = [dict.fromkeys(names.split(), value), *({name: value} for name in alone(names, value)), value]
        for body in bodies:
            headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"v1"'}
            answer = getattr(client, method)(address, json.dumps(body), content_type="application/json", headers=headers)
            assert answer.status_code < 500, f"{address} {str(body)[:80]}: {answer.status_code}"


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"age": NaN}', b"9" * 5_000, b" " * 3_000_000], ids=lambda b: str(b[:4])
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", "multipart/form-data"])
def test_the_api_refuses_bodies_that_are_not_what_they_say(stage, body, kind):
    for user, method, address, _ in stage.bodies():
        headers = {"Idempotency-Key": "k", "If-Match": '"v1"'}
        assert 400 <= getattr(browser(user), method)(address, body, content_type=kind, headers=headers).status_code < 500


@pytest.mark.parametrize("header", ["", "v1", '"v' + "9" * 5_000 + '"', '"v-1"', "*", '"v1", "v2"'])
def test_an_edit_names_a_version_that_there_is(stage, header):
    address = reverse("api-capacity", args=[stage.pool.pk])
    answer = browser(stage.provider).patch(address, "{}", content_type="application/json", headers={"If-Match": header})
    assert answer.status_code in (412, 428)


@pytest.mark.parametrize("key", ["", "k" * 121, "k" * 9_000])
def test_a_key_for_repeating_is_of_a_sensible_length(stage, key):
    answer = browser(stage.referrer).post(
        reverse("api-referrals"), json.dumps({"patient": str(uuid4()), "profile": str(uuid4()), "pools": [str(uuid4())], "consent": True}),
        content_type="application/json", headers={"Idempotency-Key": key},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-needed")


def test_what_others_wrote_is_shown_as_text_and_only_web_addresses_are_links(stage):
    Service.objects.filter(pk=stage.pool.service_id).update(name=f"A {SCRIPT}", description=SCRIPT, url="javascript:alert(1)")
    Phone.objects.create(service=stage.pool.service, number='1" onclick="alert(1)', description=SCRIPT)
    Contact.objects.create(service=stage.pool.service, name=SCRIPT, is_public=True)
    stage.patient.family_name = SCRIPT
    stage.patient.save()
    pages = {
        stage.referrer: [
            reverse("service", args=[stage.pool.service_id]), reverse("directory"), reverse("worklist"),
            reverse("match", args=[stage.run.pk]),
            reverse("patient", args=[stage.patient.pk]), f"{reverse('send', args=[stage.run.pk])}?pools={stage.pool.pk}",
        ],
        stage.provider: [reverse("inbox"), reverse("task", args=[stage.task.pk]), reverse("places")],
        stage.curator: [reverse("entry", args=[stage.pool.service_id])],
    }  # fmt: skip
    for user, addresses in pages.items():
        for address in addresses:
            answer = browser(user).get(address)
            page = answer.content.decode()
            assert answer.status_code == 200, address
            assert [bad for bad in (SCRIPT, 'href="javascript:', '" onclick="') if bad in page] == [], address


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n="])
def test_a_name_is_never_a_formula_of_the_spreadsheet(stage, start):
    stage.patient.given_name = f"{start}HYPERLINK(1)"
    stage.patient.save()
    lines = found(stage.referrer, timezone.now(), Filters())
    _, *rows = csv.reader(StringIO("".join(as_csv(lines)), newline=""))
    # The stay, and the referral that is for no stay.
    assert [row[0] for row in rows] == [f"'{start}HYPERLINK(1) {stage.patient.family_name}"] * 2
