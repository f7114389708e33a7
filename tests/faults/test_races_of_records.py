"""Two who do something with one record at the same instant, each on a connection of their own: two records become one while a colleague
writes of the one that goes, two colleagues change a person, two call off a session.

Whoever is first: nothing stands where nobody looks, nothing is lost without a word, and nobody reads of an error that is not theirs.
`LUNE_ANSWER_ROUNDS` says how many rounds of each (`make nightly`).
"""

import os
from collections import Counter
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from flow import operations
from flow.attendance import calling_off
from flow.casework import operations as casework
from flow.letters import operations as letters
from flow.merging import operations as merging
from flow.models import Document, Episode, Letter, Note, Patient, PatientMerge, SessionCancellation
from tests.factories import PatientFactory, PoolFactory, UserFactory
from tests.faults.test_races import race
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(int(os.environ.get("LUNE_ANSWER_ROUNDS", "2")))


def test_what_is_written_while_two_records_become_one_is_the_one_persons_or_refused(settings, tmp_path):
    settings.DOCUMENTS_ROOT = str(tmp_path)
    nurse = UserFactory()
    for _ in ROUNDS:
        kept, gone = PatientFactory.create_batch(2, organization=nurse.organization)
        referral = send(nurse, [PoolFactory()], patient=gone)
        about = {"patient_id": gone.pk, "by": nurse, "at": timezone.now()}
        called = {"referral_id": referral.pk, "language": "en", "call": "The ward", "by": nurse, "at": about["at"]}
        results = race(
            lambda kept=kept, gone=gone, at=about["at"]: merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=nurse, at=at) and "merged",
            lambda called=called: letters.write(**called) and "written",
            lambda about=about: operations.start_episode(kind="community", discharge_pathway="P1", **about) and "written",
            lambda about=about: casework.write_note(words="Afraid of dogs", **about) and "written",
            lambda about=about: casework.add_document(title="A", file=ContentFile(b"%PDF-1.4\n%%EOF", name="a.pdf"), **about) and "written",
        )
        merged, letter, *others = results
        assert (merged, letter) == ("merged", "written"), "a letter is about a referral, which goes to the one person"
        assert set(others) <= {"written", "not-found"}
        for model, told in zip((Letter, Episode, Note, Document), (letter, *others), strict=True):
            assert model.objects.filter(patient=kept.pk).count() == (told == "written"), model
            assert not model._base_manager.filter(patient=gone.pk).exists()
        assert PatientMerge.objects.filter(kept=kept.pk, gone=gone.pk).exists()
        assert Patient.objects.visible_to(nurse).filter(pk=gone.pk).count() == 0


def test_two_who_change_a_person_as_they_both_read_them_do_not_undo_each_other():
    nurse = UserFactory()
    for _ in ROUNDS:
        patient = PatientFactory(organization=nurse.organization, family_name="Byrom", phone="07700 900001")
        path = reverse("api-patient", args=[patient.pk])

        both = [APIClient(raise_request_exception=False) for _ in range(2)]
        for client in both:
            client.force_authenticate(nurse)
        [tag] = {client.get(path).headers["ETag"] for client in both}
        changes = [{"family_name": "Bywater"}, {"phone": "07700 900002"}]
        if_match = {"headers": {"If-Match": tag}, "format": "json"}
        results = race(*[
            lambda client=client, told=told, path=path, if_match=if_match: client.patch(path, told, **if_match).status_code
            for client, told in zip(both, changes, strict=True)
        ])  # fmt: skip
        assert Counter(results) == {200: 1, 412: 1}
        patient.refresh_from_db()
        told = (patient.family_name, patient.phone.replace(" ", ""))
        assert told == (("Bywater", "07700900001") if results[0] == 200 else ("Byrom", "07700900002"))


def test_of_two_who_call_a_session_off_at_the_same_instant_one_does_and_the_other_reads_it():
    for _ in ROUNDS:
        begins = timezone.now() + timedelta(days=3)
        pool = PoolFactory(per="session", starts_at=begins, ends_at=begins + timedelta(hours=1), maximum=5, available=5)
        staff = [provider_of(pool) for _ in range(2)]
        told = {"service_id": pool.service_id, "starts_at": begins, "reason": "No heating", "at": timezone.now()}
        results = race(*[lambda by=by, told=told: calling_off.call_off(by=by, **told) and "called off" for by in staff])
        assert sorted(results) == ["called off", "called-off"]
        assert SessionCancellation.objects.filter(service=pool.service_id, starts_at=begins).count() == 1
        pool.refresh_from_db()
        assert not pool.is_open
