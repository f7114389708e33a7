"""People as they are recorded and changed: nobody twice unseen, the number with who checked it, agreements that gate, carers, stays."""

import logging
from datetime import date, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from flow import consents, operations
from flow.models import Consent, Episode, Patient, RelatedPerson
from flow.past import changes_of
from flow.queries import provider_view
from flow.workflow import Reason
from tests.factories import EpisodeFactory, OutcodeFactory, PatientFactory, PoolFactory, PostcodeFactory, UserFactory
from tests.factories.sharing import GrantFactory, TeamFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
PERSON = {"given_name": "Ada", "family_name": "Byrom", "birth_date": date(1941, 5, 17), "postcode": "PR1 2HE"}
NUMBER = "9434765919"


@pytest.fixture
def at():
    return timezone.now()


@pytest.fixture
def place(db):
    OutcodeFactory()
    return PostcodeFactory()


def consent(patient, by, at, **told):
    said = {"purpose": "direct-care", "decision": "given", "source": "said"} | told
    return operations.record_consent(patient_id=patient.pk, by=by, at=at, **said)


@pytest.mark.req("R079", "R169")
def test_nobody_is_recorded_twice_unseen(referrer, at, place):
    first = operations.add_patient(by=referrer, at=at, nhs_number=NUMBER, **PERSON)
    with pytest.raises(Conflict) as known:
        operations.add_patient(by=referrer, at=at, nhs_number="943 476 5919", **PERSON | {"given_name": "Adeline"})
    assert (known.value.code, known.value.details["patients"]) == ("already-recorded", [str(first.pk)])
    with pytest.raises(Conflict) as perhaps:
        operations.add_patient(by=referrer, at=at, **PERSON | {"given_name": "ADA"})
    assert (perhaps.value.code, perhaps.value.details["patients"]) == ("perhaps-recorded", [str(first.pk)])
    other = operations.add_patient(by=referrer, at=at, is_another=True, **PERSON)
    elsewhere = operations.add_patient(by=UserFactory(), at=at, nhs_number=NUMBER, **PERSON)
    assert len({first.pk, other.pk, elsewhere.pk}) == 3, "people of different organisations are different records"


@pytest.mark.req("R206")
def test_who_made_sure_of_a_number_and_how_is_kept_and_another_number_is_not_checked(referrer, at, place):
    person = operations.add_patient(by=referrer, at=at, nhs_number=NUMBER, **PERSON)
    assert (person.nhs_status, person.nhs_checked_by) == ("unverified", None)
    person = operations.edit_patient(patient_id=person.pk, version=1, by=referrer, at=at, nhs_checked_how="traced")
    assert (person.nhs_status, person.nhs_checked_how, person.nhs_checked_at, person.nhs_checked_by) == ("verified", "traced", at, referrer)
    person = operations.edit_patient(patient_id=person.pk, version=2, by=referrer, at=at, phone="01772 900100")
    assert person.nhs_status == "verified"
    person = operations.edit_patient(patient_id=person.pk, version=3, by=referrer, at=at, nhs_number="9990000018")
    assert (person.nhs_status, person.nhs_checked_how, person.nhs_checked_by) == ("unverified", "", None)
    with pytest.raises(Invalid, match="no NHS number to check"):
        operations.edit_patient(patient_id=person.pk, version=4, by=referrer, at=at, nhs_number="", nhs_checked_how="traced")
    with pytest.raises(Invalid):
        operations.edit_patient(patient_id=person.pk, version=4, by=referrer, at=at, nhs_number="9990000019")
    with pytest.raises(IntegrityError, match="a_checked_number_says_how"), transaction.atomic():
        Patient.objects.filter(pk=person.pk).update(nhs_status="verified")


def test_a_number_stands_in_no_log_and_in_no_error(referrer, at, place, caplog):
    caplog.set_level(logging.DEBUG)
    person = operations.add_patient(by=referrer, at=at, nhs_number=NUMBER, **PERSON)
    said = []
    for act in (
        lambda: operations.add_patient(by=referrer, at=at, nhs_number=NUMBER, **PERSON),
        lambda: operations.add_patient(by=referrer, at=at, nhs_number="9434765918", **PERSON),
        lambda: operations.edit_patient(patient_id=person.pk, version=9, by=referrer, at=at, nhs_number=NUMBER),
        lambda: operations.keep_together(patient_id=person.pk, other="9990000018", kind="couple", by=referrer, at=at),
    ):
        with pytest.raises((Conflict, Invalid)) as refused:
            act()
        said.append(f"{refused.value} {refused.value.details}")
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    events = [str(event.data) + str(event.topics) for event in Event.objects.all()]
    assert not [text for text in [*said, *lines, *events, str(person), repr(person)] if NUMBER in text or "9434765918" in text]


@pytest.mark.req("R213")
def test_of_two_editors_the_later_is_told_and_nothing_is_lost(referrer, at, place):
    person = operations.add_patient(by=referrer, at=at, **PERSON)
    colleague = UserFactory(organization=referrer.organization)
    operations.edit_patient(patient_id=person.pk, version=1, by=colleague, at=at, phone="01772 900100")
    with pytest.raises(Conflict) as stale:
        operations.edit_patient(patient_id=person.pk, version=1, by=referrer, at=at, email="a@example.org")
    assert (stale.value.code, stale.value.details["version"]) == ("stale-version", 2)
    Patient.objects.filter(pk=person.pk).update(sex="female")  # whichever way a change comes, the database counts it
    with pytest.raises(Conflict):
        operations.edit_patient(patient_id=person.pk, version=2, by=referrer, at=at, email="a@example.org")
    person = operations.edit_patient(patient_id=person.pk, version=3, by=referrer, at=at, email="a@example.org")
    assert (person.phone, person.email, person.version) == ("01772 900100", "a@example.org", 4)
    told = [change for change in changes_of(person) if ("Phone", "", "01772 900100") in change.fields]
    assert [change.by for change in told] == [colleague.get_full_name() or "A colleague"]


def test_how_somebody_is_reached_must_be_possible(referrer, at, place):
    with pytest.raises(Invalid, match="phone number or e-mail"):
        operations.add_patient(by=referrer, at=at, preferred_contact="text", **PERSON)
    with pytest.raises(Invalid, match="through whom"):
        operations.add_patient(by=referrer, at=at, preferred_contact="through", **PERSON)
    with pytest.raises(Invalid):
        operations.add_patient(by=referrer, at=at, access_needs=["telepathy"], **PERSON)
    person = operations.add_patient(
        by=referrer, at=at, preferred_contact="text", phone="07700 900123", needs_interpreter=True,
        access_needs=["bsl", "large-print", "bsl"], **PERSON,
    )  # fmt: skip
    assert person.access_words == ["British Sign Language interpreter", "Large print"]
    consent(person, referrer, at, purpose="text", decision="refused")
    with pytest.raises(Invalid, match="said no to such messages"):
        operations.edit_patient(patient_id=person.pk, version=1, by=referrer, at=at, preferred_contact="text")


@pytest.mark.req("R180")
def test_agreement_is_recorded_once_and_gates_sending(referrer, at):
    patient = PatientFactory(organization=referrer.organization)
    with pytest.raises(Invalid) as unasked:
        send(referrer, [PoolFactory()], patient=patient, consent=False)
    assert unasked.value.code == "no-consent"
    send(referrer, [PoolFactory()], patient=patient, at=at)
    line = Consent.objects.get()
    assert (line.purpose, line.decision, line.source, line.recorded_by) == ("direct-care", "given", "said", referrer)
    send(referrer, [PoolFactory()], patient=patient, consent=False)  # what is on record is not asked again
    assert Consent.objects.count() == 1
    consent(patient, referrer, at + timedelta(seconds=1), decision="withdrawn")
    with pytest.raises(Conflict) as withdrawn:
        send(referrer, [PoolFactory()], patient=patient, consent=True)
    assert withdrawn.value.code == "consent-withdrawn", "a no that is on record is not ticked away"
    consent(patient, referrer, at + timedelta(seconds=2), source="best-interests", decided_by="Daughter, attorney")
    send(referrer, [PoolFactory()], patient=patient, consent=False)


@pytest.mark.req("R180")
def test_a_kind_of_organisation_can_be_left_out(referrer, at):
    patient, pool = PatientFactory(organization=referrer.organization), PoolFactory()
    consent(patient, referrer, at)
    consent(patient, referrer, at, purpose="sharing", kind=pool.service.organization.kind, decision="refused")
    with pytest.raises(Conflict) as refused:
        send(referrer, [pool], patient=patient)
    assert refused.value.code == "sharing-refused"
    send(referrer, [PoolFactory(service__organization__kind="charity")], patient=patient)


@pytest.mark.req("R180")
def test_a_withdrawal_is_seen_by_who_holds_the_request_and_nobody_learns_a_name_after_it(referrer, at):
    patient, pool = PatientFactory(organization=referrer.organization), PoolFactory()
    task = send(referrer, [pool], patient=patient, at=at).tasks.get()
    answerer = provider_of(pool)
    assert provider_view(task, answerer).agrees
    consent(patient, referrer, at + timedelta(seconds=1), decision="withdrawn")
    told = Event.objects.get(type="consent.withdrawn")
    assert set(told.audience) == {referrer.organization_id, pool.service.organization_id}
    assert told.data == {"task": str(task.pk), "referral": str(task.referral_id)}
    assert not provider_view(task, answerer).agrees
    with pytest.raises(Conflict) as refused:
        operations.accept(task_id=task.pk, by=answerer, at=at)
    assert refused.value.code == "consent-withdrawn"
    assert provider_view(task, answerer).identity is None
    operations.decline(task_id=task.pk, by=answerer, at=at, reason=Reason.values[0], reason_text="As they wish")


def test_a_no_of_an_earlier_day_than_the_yes_takes_nothing_back_and_is_told_to_nobody(referrer, at):
    patient = PatientFactory(organization=referrer.organization)
    send(referrer, [PoolFactory()], patient=patient, at=at)
    consent(patient, referrer, at, decision="refused", decided_on=timezone.localdate(at) - timedelta(days=1))
    assert not Event.objects.filter(type="consent.withdrawn").exists()


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"purpose": "sharing"}, "kind"),
        ({"kind": "charity"}, "kind"),
        ({"source": "best-interests"}, "decided_by"),
        ({"source": "legal-basis"}, "basis"),
        ({"decision": "withdrawn"}, "decision"),
        ({"decided_on": date(2999, 1, 1)}, "decided_on"),
        ({"purpose": "x"}, "purpose"),
    ],
)
def test_an_agreement_says_what_it_must(referrer, at, told, field):
    patient = PatientFactory(organization=referrer.organization)
    with pytest.raises(Invalid) as refused:
        consent(patient, referrer, at, **told)
    assert refused.value.details["field"] == field
    assert not Consent.objects.exists()


def test_agreements_are_only_added_and_the_last_day_holds(referrer, at):
    patient = PatientFactory(organization=referrer.organization)
    today = timezone.localdate(at)
    newer = consent(patient, referrer, at, decided_on=today)
    consent(patient, referrer, at + timedelta(hours=1), decision="refused", decided_on=today - timedelta(days=9))
    assert consents.current(patient) == [newer], "what is recorded later of an earlier day does not undo the later day"
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Consent.objects.filter(pk=newer.pk).update(decision="refused")
    with pytest.raises(NotFound):
        consent(patient, UserFactory(), at)
    with pytest.raises(NotAllowed):
        consent(patient, UserFactory(provider=True), at)


@pytest.mark.req("R164")
def test_a_carer_is_recorded_from_what_is_known_and_referred_themselves(referrer, at, place):
    mother = operations.add_patient(by=referrer, at=at, address="1 Fishergate", **PERSON)
    row = operations.add_related(
        patient_id=mother.pk, by=referrer, at=at, name="Grace Byrom", relation="child", care="cares", phone="01772 900111"
    )
    carer = operations.record_related(related_id=row.pk, by=referrer, at=at, birth_date=date(1970, 2, 3))
    assert (carer.full_name, carer.phone, carer.address, carer.postcode) == ("Grace Byrom", "01772 900111", "1 Fishergate", mother.postcode)
    row.refresh_from_db()
    assert (row.person, row.name) == (carer, "")
    assert set(RelatedPerson.objects.visible_to(referrer).naming(carer)) == {row}, "the tie is read from both sides"
    task = send(referrer, [PoolFactory()], patient=carer).tasks.get()
    assert task.referral.patient == carer
    with pytest.raises(Conflict, match="record of their own"):
        operations.record_related(related_id=row.pk, by=referrer, at=at, birth_date=date(1970, 2, 3))
    with pytest.raises(Conflict, match="noted already"):
        operations.add_related(patient_id=mother.pk, by=referrer, at=at, person=carer.pk, relation="child")
    with pytest.raises(Conflict, match="changed by somebody else"):
        operations.edit_related(related_id=row.pk, version=1, by=referrer, at=at, note="x")
    ended = operations.end_related(related_id=row.pk, version=row.version, by=referrer, at=at)
    assert not RelatedPerson.objects.current().exists()
    assert ended.version == row.version + 1


def test_who_is_around_a_person_is_not_told_where_a_team_keeps_them_to_itself(referrer, at):
    mother, hidden = (PatientFactory(organization=referrer.organization) for _ in range(2))
    operations.add_related(patient_id=mother.pk, by=referrer, at=at, person=hidden.pk, relation="child")
    operations.add_related(patient_id=mother.pk, by=referrer, at=at, name="Grace", relation="friend")
    Patient.objects.filter(pk=hidden.pk).update(team=TeamFactory(organization=referrer.organization, private=True))
    assert [row.name for row in RelatedPerson.objects.visible_to(referrer).naming(mother)] == ["Grace"]
    assert not RelatedPerson.objects.visible_to(referrer).naming(hidden).exists()


def test_a_number_is_looked_for_in_the_records_to_which_the_person_belongs(referrer, at):
    PatientFactory(organization=referrer.organization, nhs_number=NUMBER)
    shared = PatientFactory()
    GrantFactory(agreement__organization=shared.organization, agreement__with_organization=referrer.organization, patient=shared)
    edited = operations.edit_patient(patient_id=shared.pk, version=shared.version, by=referrer, at=at, nhs_number=NUMBER)
    assert edited.nhs_number == NUMBER


def test_history_begins_for_whom_it_was_not_kept_and_never_takes_a_change_for_the_recording(referrer, at):
    stay = EpisodeFactory(patient__organization=referrer.organization, patient__created_at=at - timedelta(days=90))
    person = stay.patient
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flow_patientevent")
        cursor.execute("DELETE FROM flow_episodeevent")
    migration = import_module("flow.migrations.0023_first_row_of_history")
    with connection.schema_editor() as editor:
        migration.begin(apps, editor)
        migration.begin(apps, editor)
    assert [(row.pgh_created_at, row.family_name) for row in person.events.all()] == [(person.created_at, person.family_name)]
    assert stay.events.get().pgh_created_at >= person.created_at
    operations.edit_patient(patient_id=person.pk, version=person.version, by=referrer, at=at, phone="01772 900100")
    assert [line.what for line in changes_of(person) if line.what.startswith("The person")] == ["The person", "The person: recorded"]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flow_patientevent WHERE pgh_label = 'insert'")
    assert [line.what.partition(";")[0] for line in changes_of(person) if line.what.startswith("The p")] == ["The person: changed"]


def test_a_stay_is_changed_by_version_and_says_nothing_impossible(referrer, at):
    stay = EpisodeFactory(patient__organization=referrer.organization, ready_at=None)
    act = {"episode_id": stay.pk, "by": referrer, "at": at}
    after = operations.edit_episode(version=1, ward="Ward 7", criteria_to_reside="meets", reside_reviewed_on=timezone.localdate(at), **act)
    assert (after.ward, after.version, after.changed_by) == ("Ward 7", 2, referrer)
    with pytest.raises(Conflict, match="changed by somebody else"):
        operations.edit_episode(version=1, ward="Ward 9", **act)
    with pytest.raises(Invalid, match="not ready to leave"):
        operations.edit_episode(version=2, ready_at=at, **act)
    after = operations.edit_episode(
        version=2, ready_at=at, criteria_to_reside="none", delay_reason="funding", expected_on=timezone.localdate(at), **act
    )
    assert Episode.objects.waiting().get() == after
    with pytest.raises(Invalid, match="Check the times"):
        operations.edit_episode(version=3, ready_at=at + timedelta(days=1), **act)
    with pytest.raises(NotFound):
        operations.edit_episode(version=3, ward="x", episode_id=stay.pk, by=UserFactory(), at=at)
    operations.end_episode(episode_id=stay.pk, by=referrer, at=at)
    with pytest.raises(Conflict) as ended:
        operations.edit_episode(version=4, ward="x", **act)
    assert ended.value.code == "ended"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM flow_episodeevent WHERE pgh_obj_id = %s", [stay.pk])
        assert cursor.fetchone()[0] == 4, "recorded, changed twice, ended"
