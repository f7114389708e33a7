"""A pathway named with three clicks and on paper; and answers to one that is gone or has a newer form, which nobody types twice."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from flow import operations
from flow.models import Patient, Referral
from flow.pathways import operations as pathways
from flow.pathways.configuration import Configuration, Question, read
from matching import operations as matching
from tests.factories import (
    EpisodeFactory,
    NeedProfileFactory,
    OrganizationFactory,
    OutcodeFactory,
    PatientFactory,
    PoolFactory,
    PostcodeFactory,
    UserFactory,
    term,
)
from tests.factories.sharing import AgreementFactory, HubFactory, PathwayFactory
from tests.frontend.test_referring import PAPER

pytestmark = [pytest.mark.django_db, pytest.mark.req("R065")]
ASKS = {
    "questions": [
        {"key": "stairs", "text": "Are there stairs at home?", "kind": "yes-no", "required": True, "shown": "before"},
        {"key": "matters", "text": "What matters most to them?", "kind": "text"},
    ]
}
ANSWERS = {"answer-stairs": "yes", "answer-matters": "Her <b>garden</b>"}
GARDEN = "Her &lt;b&gt;garden&lt;/b&gt;"


@pytest.fixture
def sender(client: Client):
    user = UserFactory()
    OutcodeFactory()
    PostcodeFactory()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


@pytest.fixture
def version():
    return PathwayFactory(name="Cancer support", version=ASKS).versions.get()


def ranked(sender):
    return matching.match(NeedProfileFactory(organization=sender.organization), by=sender, at=timezone.now())


def newer_form(version):
    """The same pathway asks of stairs as before, no longer what matters, and since when."""
    by, at = UserFactory(administrator=True), timezone.now()
    draft = pathways.draft(pathway_id=version.pathway_id, by=by, at=at)
    stairs = read(version).questions[0]
    asks = Configuration(questions=(stairs, Question(key="since", text="Since when?", kind="date")))
    told = {"name": version.pathway.name, "for_whom": version.pathway.for_whom, "hub_ids": [], "note": ""}
    pathways.change(version_id=draft.pk, configuration=asks, **told, by=by, at=at)
    return pathways.publish_version(version_id=draft.pk, by=by, at=at)


def is_checked(page: str, name: str, value: str) -> bool:
    return bool(re.search(rf'<input[^>]*name="{name}"[^>]*value="{value}"[^>]*checked', page))


def test_three_clicks_name_a_pathway_and_lead_to_its_questions_first(client, sender, version):
    pool, patient = PoolFactory(), PatientFactory(organization=sender.organization)
    address = f"{reverse('refer-send', args=[ranked(sender).pk, pool.pk])}?patient={patient.pk}"
    assert "Cancer support" in client.get(address).content.decode()
    asked = client.post(address, {"pathway": version.pk, "urgency": "urgent", "reason": "Likes tea"})
    page = asked.content.decode()
    assert (asked.status_code, "Are there stairs" in page, "Likes tea" in page, "Answer this" in page) == (200, True, True, False)
    assert not Referral.objects.exists()
    typed = {"pathway": version.pk, "asked": version.pk, "urgency": "urgent", "reason": "", "answer-matters": "Her garden"}
    refused = client.post(address, typed)
    assert (refused.status_code, "Answer this: Are there stairs" in refused.content.decode()) == (422, True)
    assert client.post(address, typed | {"answer-stairs": "no"})["Location"].startswith("/referrals/")
    referral = Referral.objects.get()
    assert (referral.pathway_version, referral.urgency) == (version, "urgent")
    assert referral.pathway_answers == {"stairs": "no", "matters": "Her garden"}


def test_without_a_pathway_of_theirs_three_clicks_stay_as_they_were(client, sender, version):
    version.pathway.organizations.set([OrganizationFactory()])
    pool, patient = PoolFactory(), PatientFactory(organization=sender.organization)
    address = f"{reverse('refer-send', args=[ranked(sender).pk, pool.pk])}?patient={patient.pk}"
    assert "On a pathway?" not in client.get(address).content.decode()
    gone = client.post(address, ANSWERS | {"pathway": version.pk, "asked": version.pk, "urgency": "routine"})
    page = gone.content.decode()
    assert (gone.status_code, "This pathway has changed" in page, GARDEN in page) == (422, True, True)
    assert not Referral.objects.exists()
    assert client.post(address, {"urgency": "routine"}).status_code == 302
    assert Referral.objects.get().pathway_version is None


def test_paper_names_a_pathway_answers_it_and_is_refused_where_the_service_is_not_of_it(client, sender, version):
    care = term("care-type", "befriending")
    pool, other = (PoolFactory(service__name=name, service__care_type=care, unit="place") for name in ("Tea and talk", "Walks"))
    version.services.set([pool.service])
    typed = PAPER | {"received_on": timezone.localdate().isoformat()}
    address = reverse("refer-paper")
    page = client.post(address, typed | {"do": "look"}).content.decode()
    assert "Cancer support" in page
    typed |= {"run": page.split('name="run" value="')[1].split('"')[0], "do": "send", "pathway": version.pk, "pool": pool.pk}
    asked = client.post(address, typed)
    assert (asked.status_code, "Are there stairs" in asked.content.decode()) == (200, True)
    typed |= {"asked": version.pk, "answer-matters": "Her garden"}
    refused = client.post(address, typed)
    assert (refused.status_code, "Her garden" in refused.content.decode()) == (422, True)
    outside = client.post(address, typed | {"answer-stairs": "yes", "pool": other.pk})
    assert (outside.status_code, "does not include Walks" in outside.content.decode()) == (422, True)
    assert not Patient.objects.exists()
    assert client.post(address, typed | {"answer-stairs": "yes"}).status_code == 302
    assert Referral.objects.get().pathway_answers == {"stairs": "yes", "matters": "Her garden"}


def addresses(sender):
    """The full form, three clicks, the hub: each with what it needs besides."""
    pool, patient = PoolFactory(), EpisodeFactory(patient__organization=sender.organization).patient
    run = ranked(sender)
    full = {"pools": [pool.pk], "patient": patient.pk, "urgency": "routine", "reason": "", "consent": "on"}
    operations.note_need(patient_id=patient.pk, profile_id=run.profile_id, by=sender)
    where = HubFactory()
    AgreementFactory(organization=sender.organization, with_organization=where.organization, purpose="triage")
    hub = {"hub": where.pk, "urgency": "routine", "reason": "", "consent": "on"}
    return {
        "full": (reverse("send", args=[run.pk]), full, "pathway"),
        "clicks": (
            f"{reverse('refer-send', args=[run.pk, pool.pk])}?patient={patient.pk}",
            {"urgency": "routine", "reason": ""},
            "pathway",
        ),
        "hub": (reverse("patient-hub", args=[patient.pk]), hub, "version"),
    }


@pytest.mark.parametrize("way", ["full", "clicks", "hub"])
def test_answers_to_a_form_that_changed_meanwhile_are_kept_and_what_is_not_asked_any_more_is_shown(way, client, sender, version):
    address, typed, field = addresses(sender)[way]
    newest = newer_form(version)
    typed = typed | ANSWERS | {field: version.pk, "asked": version.pk}
    changed = client.post(address, typed)
    page = changed.content.decode()
    assert (changed.status_code, "has a newer form" in page, "Since when?" in page) == (409, True, True)
    assert is_checked(page, "answer-stairs", "yes")
    assert GARDEN in page, "it is not asked any more, and shown to be copied"
    assert not Referral.objects.exists()
    # It is there on the page after too, for that page sends it along.
    typed |= {field: newest.pk, "asked": newest.pk, "before": version.pk}
    again = client.post(address, typed | {"answer-stairs": ""})
    assert (again.status_code, GARDEN in again.content.decode()) == (422, True)
    assert client.post(address, typed).status_code == 302
    referral = Referral.objects.get()
    assert (referral.pathway_version, referral.pathway_answers) == (newest, {"stairs": "yes"})


@pytest.mark.parametrize("way", ["full", "clicks", "hub"])
def test_answers_to_a_pathway_that_is_gone_are_shown_and_it_is_sent_without_on_purpose_alone(way, client, sender, version):
    address, typed, field = addresses(sender)[way]
    version.pathway.is_active = False
    version.pathway.save()
    typed = typed | ANSWERS | {field: version.pk, "asked": version.pk}
    gone = client.post(address, typed)
    page = gone.content.decode()
    assert (gone.status_code, "This pathway has changed" in page, GARDEN in page) == (422, True, True)
    assert "<dd" in page.split("What you answered for Cancer support")[1]
    assert not Referral.objects.exists()
    assert client.post(address, typed | {field: ""}).status_code == 302
    assert Referral.objects.get().pathway_version is None
