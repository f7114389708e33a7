"""Teams, sharing agreements and grants: who sees which record because of them, and who does not."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from core import acting
from core.audit import record_read
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import AuditEntry, Event
from flow import consents
from flow.models import Episode, EpisodeHold, Patient, PlanLine, Referral, ReferralTask
from flow.queries import inbox
from flow.sharing import operations
from tests.factories import EpisodeFactory, PatientFactory, PlanLineFactory, PoolFactory, ReferralFactory, ReferralTaskFactory, UserFactory
from tests.factories.sharing import AgreementFactory, GrantFactory, TeamFactory
from tests.flow.helpers import send

pytestmark = pytest.mark.django_db


class Record:
    """One person of a hospital with a stay and a referral to a provider, and a colleague of who recorded them."""

    def __init__(self) -> None:
        self.patient = PatientFactory()
        self.organization = self.patient.organization
        self.episode = EpisodeFactory(patient=self.patient)
        self.referral = ReferralFactory(patient=self.patient, episode=self.episode)
        self.task = ReferralTaskFactory(referral=self.referral)
        self.colleague = UserFactory(organization=self.organization)

    def seen_by(self, user) -> set[str]:
        """Of which models `user` sees this person's row."""
        rows = {Patient: self.patient, Episode: self.episode, Referral: self.referral, ReferralTask: self.task}
        return {model.__name__ for model, row in rows.items() if model.objects.visible_to(user).filter(pk=row.pk).exists()}


ALL = {"Patient", "Episode", "Referral", "ReferralTask"}


@pytest.fixture
def record() -> Record:
    return Record()


def test_without_a_grant_nothing_of_another_organisation_is_seen(record: Record) -> None:
    assert record.seen_by(record.colleague) == ALL
    for stranger in (UserFactory(), UserFactory(provider=True), UserFactory(manager=True, organization=record.organization)):
        assert record.seen_by(stranger) == set()


@pytest.mark.parametrize("of", ["patient", "episode", "referral"])
def test_a_team_keeps_its_records_to_itself(record: Record, of: str) -> None:
    """What belongs to the person goes with the person; an ordinary team hides nothing."""
    member = UserFactory(organization=record.organization)
    team = TeamFactory(organization=record.organization, people=[member])
    row = getattr(record, of)
    type(row).objects.filter(pk=row.pk).update(team=team)
    assert record.seen_by(record.colleague) == ALL
    team.keeps_to_itself = True
    team.save()
    gone = {"patient": ALL, "episode": {"Episode"}, "referral": {"Referral", "ReferralTask"}}[of]
    assert record.seen_by(record.colleague) == ALL - gone
    assert record.seen_by(member) == ALL
    team.members.clear()
    assert record.seen_by(member) == ALL - gone


def test_a_plan_does_not_name_whom_a_team_keeps_to_itself(record: Record) -> None:
    line = PlanLineFactory(episode=record.episode)
    assert PlanLine.objects.visible_to(record.colleague).filter(pk=line.pk).exists()
    Patient.objects.filter(pk=record.patient.pk).update(team=TeamFactory(organization=record.organization, private=True))
    assert not PlanLine.objects.visible_to(record.colleague).exists()
    assert not EpisodeHold.objects.visible_to(record.colleague).exists()


@pytest.mark.req("R061")
@pytest.mark.parametrize("provider", [False, True])
def test_a_granted_person_is_shared_whole(record: Record, provider: bool) -> None:
    """A general practice and a charity's link worker see the same record; who works elsewhere sees nothing."""
    grant = GrantFactory(agreement__organization=record.organization, patient=record.patient)
    partner = UserFactory(provider=provider, organization=grant.to_organization)
    assert record.seen_by(partner) == ALL
    other = Record()
    assert other.seen_by(partner) == set()
    assert record.seen_by(UserFactory(manager=True, organization=grant.to_organization)) == set()


def test_a_granted_referral_shows_whom_it_is_about_and_nothing_else_of_them(record: Record) -> None:
    grant = GrantFactory(agreement__organization=record.organization, referral=record.referral, purpose="triage")
    partner = UserFactory(organization=grant.to_organization)
    second = ReferralTaskFactory(referral__patient=record.patient)
    stay = EpisodeFactory(patient=record.patient, kind="community")
    assert record.seen_by(partner) == ALL
    assert not ReferralTask.objects.visible_to(partner).filter(pk=second.pk).exists()
    assert not Episode.objects.visible_to(partner).filter(pk=stay.pk).exists()
    assert not Patient.objects.kept_by(partner).exists(), "what may be read is not hereby changed"


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timedelta()},
        {"ends_at": timedelta()},
        {"starts_at": timedelta(hours=1)},
        {"agreement__ended_at": timedelta()},
        {"agreement__ends_at": timedelta()},
        {"agreement__starts_at": timedelta(hours=1)},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("of", ["patient", "referral"])
def test_what_is_not_in_force_opens_nothing_at_once(record: Record, change: dict, of: str) -> None:
    now = timezone.now()
    fields = {name: now + away for name, away in change.items()}
    grant = GrantFactory(agreement__organization=record.organization, **{of: getattr(record, of)})
    partner = UserFactory(organization=grant.to_organization)
    assert record.seen_by(partner) == ALL
    for name, value in fields.items():
        row, field = (grant.agreement, name.removeprefix("agreement__")) if "__" in name else (grant, name)
        setattr(row, field, value)
        row.save()
    assert record.seen_by(partner) == set()


def test_a_grant_to_a_team_is_for_its_members(record: Record) -> None:
    agreement = AgreementFactory(organization=record.organization)
    member, colleague = UserFactory.create_batch(2, organization=agreement.with_organization)
    team = TeamFactory(organization=agreement.with_organization, people=[member])
    GrantFactory(agreement=agreement, to_team=team, patient=record.patient)
    assert (record.seen_by(member), record.seen_by(colleague)) == (ALL, set())


def test_a_grant_of_the_person_does_not_open_what_a_team_keeps_to_itself(record: Record) -> None:
    """That is granted by itself, or not at all; nor does it open what a third organisation sent."""
    Referral.objects.filter(pk=record.referral.pk).update(team=TeamFactory(organization=record.organization, private=True))
    grant = GrantFactory(agreement__organization=record.organization, patient=record.patient)
    partner = UserFactory(organization=grant.to_organization)
    assert record.seen_by(partner) == {"Patient", "Episode"}
    third = ReferralTaskFactory(referral__patient=record.patient, referral__organization=UserFactory().organization)
    assert not ReferralTask.objects.visible_to(partner).filter(pk=third.pk).exists()
    GrantFactory(agreement=grant.agreement, referral=record.referral)
    assert record.seen_by(partner) == ALL


# --- verbs


@pytest.fixture
def partners(record: Record):
    """A hospital with a manager and an agreement by which a charity works on its records."""
    agreement = AgreementFactory(organization=record.organization)
    record.manager = UserFactory(manager=True, organization=record.organization)
    record.partner = UserFactory(organization=agreement.with_organization)
    record.agreement = agreement
    return record


def share(record, **fields):
    at = timezone.now() - timedelta(hours=1)  # before the transaction of the test, whose beginning is now to the database
    asked = {"patient_id": record.patient.pk, "agreement_id": record.agreement.pk, "ends_at": at + timedelta(days=10), "consent": True}
    return operations.share(**(asked | {"by": record.colleague, "at": at} | fields))


def test_sharing_and_revoking_take_effect_at_once(partners, client) -> None:
    grant = share(partners)
    assert partners.seen_by(partners.partner) == ALL
    client.force_login(partners.partner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert partners.patient.full_name in client.get(reverse("hub")).content.decode()
    looked = AuditEntry.objects.get(user_id=partners.partner.pk, record_id=partners.patient.pk)
    assert looked.purpose == "shared-care"
    with pytest.raises(Conflict):
        share(partners)
    with pytest.raises(NotFound):
        operations.revoke(grant_id=grant.pk, by=partners.partner, at=timezone.now())
    operations.revoke(grant_id=grant.pk, by=partners.manager, at=timezone.now())
    assert Event.objects.get(type="grant.closed").data == {"grant": str(grant.pk), "by": str(partners.manager.pk)}
    assert partners.seen_by(partners.partner) == set()
    with pytest.raises(Conflict):
        operations.revoke(grant_id=grant.pk, by=partners.manager, at=timezone.now())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"consent": False}, "consent"), ({"ends_at": timezone.now() + timedelta(days=900)}, "ends_on")],
)
def test_nothing_is_shared_without_consent_or_beyond_its_agreement(partners, wrong: dict, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        share(partners, **wrong)
    assert refused.value.details["field"] == field
    assert partners.seen_by(partners.partner) == set()


def test_an_agreement_is_recorded_and_ended_by_those_whose_records_they_are(partners) -> None:
    at = timezone.now()
    told = {
        "organization_id": partners.organization.pk, "with_organization_id": partners.partner.organization_id, "pathway_id": None,
        "purpose": "triage", "legal_basis": "direct-care", "reference": "ISA-7", "starts_at": at,
        "ends_at": at + timedelta(days=9), "at": at,
    }  # fmt: skip
    for stranger in (partners.colleague, UserFactory(manager=True), partners.partner):
        with pytest.raises(NotAllowed):
            operations.agree(**told, by=stranger)
    operations.agree(**told, by=partners.manager)
    share(partners)
    operations.end(agreement_id=partners.agreement.pk, by=partners.manager, at=at)
    assert partners.seen_by(partners.partner) == set()


def test_an_agreement_that_ends_is_told_once_however_many_records_were_open_under_it(partners, django_assert_max_num_queries) -> None:
    team = TeamFactory(organization=partners.partner.organization)
    people = [partners.patient, *PatientFactory.create_batch(4, organization=partners.organization)]
    for number, patient in enumerate(people):
        share(partners, patient_id=patient.pk, team_id=team.pk if number else None)
    at = timezone.now()
    with acting.for_user(partners.manager), django_assert_max_num_queries(18):
        operations.end(agreement_id=partners.agreement.pk, by=partners.manager, at=at)
    told = Event.objects.get(type="grant.closed")
    assert told.audience == [partners.partner.organization_id]
    assert told.data == {"agreement": str(partners.agreement.pk), "by": str(partners.manager.pk)}


@pytest.mark.parametrize("purpose", ["direct-care", "sharing"])
def test_a_no_closes_what_was_shared_and_nothing_is_shared_against_it(partners, purpose: str) -> None:
    """What is shared for safeguarding does not rest on the person's agreement: it stays, and its holder is told as well."""
    grant = share(partners)
    kept = GrantFactory(agreement__organization=partners.organization, patient=partners.patient, purpose="safeguarding")
    of = {"purpose": purpose, "kind": grant.to_organization.kind if purpose == "sharing" else ""}
    said = {"patient_id": partners.patient.pk, "decision": "refused", "source": "said", "by": partners.colleague, "at": timezone.now()}
    with acting.for_user(partners.colleague):
        consents.record_consent(**of, **said)
    assert partners.seen_by(partners.partner) == set()
    assert partners.seen_by(UserFactory(organization=kept.to_organization)) == ALL
    told = Event.objects.filter(type="consent.withdrawn", data__has_key="grant").values_list("audience", flat=True)
    assert {frozenset(audience) for audience in told} == {
        frozenset({partners.organization.pk, each.to_organization_id}) for each in (grant, kept)
    }
    with pytest.raises(Conflict) as refused, acting.for_user(partners.colleague):
        share(partners)
    assert refused.value.code == ("consent-withdrawn" if purpose == "direct-care" else "sharing-refused")


def test_a_persons_referrals_go_with_them_to_another_team(partners) -> None:
    """Also one without a stay, and one from a stay that has ended; not one that a third team has."""
    before, after, third = TeamFactory.create_batch(3, organization=partners.organization)
    Patient.objects.filter(pk=partners.patient.pk).update(team=before)
    stay = EpisodeFactory(patient=partners.patient, kind="community", ended_at=timezone.now(), team=before)
    elsewhere = EpisodeFactory(patient=partners.patient, kind="community", ended_at=timezone.now(), team=third)
    loose = ReferralFactory(patient=partners.patient, team=before)
    past = ReferralFactory(patient=partners.patient, episode=stay, team=before)
    other = ReferralFactory(patient=partners.patient, team=third)
    with acting.for_user(partners.colleague):
        operations.give_to_team(patient_id=partners.patient.pk, team_id=after.pk, by=partners.colleague, at=timezone.now())
    assert [Referral.objects.get(pk=each.pk).team for each in (loose, past, other)] == [after, after, third]
    assert [Episode.objects.get(pk=each.pk).team for each in (stay, elsewhere)] == [after, third]


def test_a_team_that_there_is_not_takes_nobody_out_of_their_team(partners, client) -> None:
    team = TeamFactory(organization=partners.organization, private=True, people=[partners.colleague])
    Patient.objects.filter(pk=partners.patient.pk).update(team=team)
    client.force_login(partners.colleague, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("patient-share", args=[partners.patient.pk])
    for named in ({"team": str(UUID(int=7))}, {}):
        assert client.post(address, {"do": "team", **named}).status_code == 422
    assert Patient.objects.get(pk=partners.patient.pk).team == team


def test_requests_of_a_shared_record_to_others_are_not_in_ones_inbox(record: Record, client) -> None:
    grant = GrantFactory(agreement__organization=record.organization, patient=record.patient)
    provider = UserFactory(provider=True, organization=grant.to_organization)
    ReferralTask.objects.filter(pk=record.task.pk).update(status="requested")
    assert ReferralTask.objects.visible_to(provider).filter(pk=record.task.pk).exists()
    assert inbox(provider) == []
    client.force_login(provider, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "New (0)" in client.get(reverse("inbox")).content.decode()
    assert client.get(reverse("api-tasks")).json()["results"] == []


def test_a_manager_reads_who_looked_and_no_name(partners, client) -> None:
    grant = share(partners)
    record_read(user=partners.partner, record_type="patient", record_id=partners.patient.pk)
    client.force_login(partners.manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    pages = client.get(reverse("sharing")).content.decode() + client.get(reverse("sharing-grant", args=[grant.pk])).content.decode()
    assert str(partners.partner) in pages
    assert partners.patient.family_name not in pages
    client.force_login(UserFactory(manager=True), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("sharing-grant", args=[grant.pk])).status_code == 404


def test_who_gives_a_record_to_a_private_team_must_be_in_it(partners) -> None:
    team = TeamFactory(organization=partners.organization, private=True)
    give = {"patient_id": partners.patient.pk, "team_id": team.pk, "by": partners.colleague, "at": timezone.now()}
    with pytest.raises(Invalid):
        operations.give_to_team(**give)
    team.members.add(partners.colleague)
    operations.give_to_team(**give)
    assert partners.seen_by(partners.colleague) == ALL
    assert partners.seen_by(UserFactory(organization=partners.organization)) == set()


@pytest.mark.req("R061")
def test_what_a_partner_sends_for_a_shared_person_is_seen_by_both(partners) -> None:
    """And somebody who was granted one referral alone sends nothing for the person."""
    grant = share(partners)
    pool = PoolFactory()
    referral = send(partners.partner, [pool], patient=partners.patient)
    assert referral.organization == partners.partner.organization
    assert Referral.objects.visible_to(partners.colleague).filter(pk=referral.pk).exists()
    operations.revoke(grant_id=grant.pk, by=partners.manager, at=timezone.now())
    GrantFactory(agreement=partners.agreement, referral=partners.referral)
    with pytest.raises(NotFound):
        send(partners.partner, [PoolFactory()], patient=partners.patient)


def test_what_is_sent_from_a_private_stay_is_the_teams_own(record: Record) -> None:
    """Straight to a service as well: colleagues who see the person do not see that referral."""
    member = UserFactory(organization=record.organization)
    team = TeamFactory(organization=record.organization, private=True, people=[member])
    stay = EpisodeFactory(patient=record.patient, team=team, kind="community")
    referral = send(member, [PoolFactory()], patient=record.patient, episode_id=stay.pk)
    assert Referral.objects.visible_to(member).filter(pk=referral.pk).exists()
    assert not Referral.objects.visible_to(record.colleague).filter(pk=referral.pk).exists()
