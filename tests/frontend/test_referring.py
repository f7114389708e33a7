"""Pages on which a referral is entered quickly, and on which many lines are changed at once."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from flow.models import Batch, Document, Episode, Patient, Referral, ReferralTask, SavedView
from tests.factories import EpisodeFactory, OutcodeFactory, PatientFactory, PoolFactory, PostcodeFactory, UserFactory, term

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PAPER = {
    "given_name": "Ada", "family_name": "Byrom", "birth_date": "1941-05-17", "nhs_number": "", "sex": "female", "phone": "",
    "postcode": "PR1 2HE", "care": "befriending", "service": "tea", "reason": "Lives alone", "channel": "paper", "sector": "faith",
    "sender": "St Anne’s", "consent": "on",
}  # fmt: skip


@pytest.fixture
def clerk(client: Client):
    """An administrator of a charity, signed in."""
    user = UserFactory(organization__kind="charity", job_title="Administrator")
    OutcodeFactory()
    PostcodeFactory()
    client.force_login(user)
    return user


@pytest.mark.req("R160")
@pytest.mark.req("R170")
@pytest.mark.req("R229")
@pytest.mark.req("R231")
@pytest.mark.req("R238")
@pytest.mark.req("R022")
def test_paper_is_entered_on_one_page_and_the_clock_began_when_it_came(client, clerk):
    care = term("care-type", "befriending")
    pool, other = (PoolFactory(service__name=name, service__care_type=care, unit="place") for name in ("Tea and talk", "Walks"))
    came = timezone.localdate() - timedelta(days=4)
    typed = PAPER | {"received_on": came.isoformat()}
    page = client.post(reverse("refer-paper"), typed | {"do": "look"})
    assert page.status_code == 200
    text = page.content.decode()
    assert f'value="{pool.pk}" id="pool-{pool.pk}" checked' in text  # the one that it names
    assert f'id="pool-{other.pk}"' in text
    assert not Patient.objects.exists()
    run = page.context["run"] if page.context else None
    run = run.pk if run else text.split('name="run" value="')[1].split('"')[0]
    sent = client.post(reverse("refer-paper"), typed | {"do": "next", "run": run, "pool": pool.pk})
    assert sent["Location"] == f"{reverse('refer-paper')}?channel=paper&sector=faith&received_on={came.isoformat()}"
    referral = Referral.objects.get()
    assert referral.tasks.get().pool == pool
    assert (referral.origin.channel, referral.origin.sector, referral.origin.sender) == ("paper", "faith", "St Anne’s")
    assert timezone.localdate(referral.episode.ready_at) == came
    assert 'value="faith" selected' in client.get(sent["Location"]).content.decode()
    # the next of the same person makes no second record, and a file that is none sends nothing
    last = typed | {"do": "send", "run": run, "pool": other.pk}
    refused = client.post(reverse("refer-paper"), last | {"scan": SimpleUploadedFile("letter.pdf", b"MZ\x90\x00\x03")})
    assert refused.status_code == 422
    assert Referral.objects.count() == 1
    again = client.post(reverse("refer-paper"), last | {"scan": SimpleUploadedFile("letter.pdf", PDF)})
    assert Document.objects.get().referral_id != referral.pk
    assert again["Location"].startswith("/referrals/")
    assert Patient.objects.count() == Episode.objects.count() == 1


def test_paper_that_lacks_something_keeps_what_was_typed(client, clerk):
    PatientFactory(organization=clerk.organization, nhs_number="9434765919", birth_date="1950-01-01")
    PoolFactory(service__name="Tea and talk", service__care_type=term("care-type", "befriending"), unit="place")
    today = timezone.localdate()
    tomorrow = PAPER | {"received_on": (today + timedelta(days=1)).isoformat(), "do": "look"}
    page = client.post(reverse("refer-paper"), tomorrow)
    assert page.status_code == 422
    assert "It cannot have arrived in the future" in page.content.decode()
    assert 'value="Byrom"' in page.content.decode()
    typed = PAPER | {"received_on": today.isoformat()}
    text = client.post(reverse("refer-paper"), typed | {"do": "look"}).content.decode()
    run, pool = (text.split(f'name="{name}" value="')[1].split('"')[0] for name in ("run", "pool"))
    unchosen = client.post(reverse("refer-paper"), typed | {"do": "send", "run": run})
    assert unchosen.status_code == 422
    assert "Choose a service" in unchosen.content.decode()
    wrong = client.post(reverse("refer-paper"), typed | {"do": "send", "run": run, "pool": pool, "nhs_number": "943 476 5919"})
    assert wrong.status_code == 422
    assert "born on another day" in wrong.content.decode()
    assert not Referral.objects.exists()


def test_paper_of_somebody_of_the_same_name_asks_which_record_it_is(client, clerk):
    PoolFactory(service__name="Tea and talk", service__care_type=term("care-type", "befriending"), unit="place")
    record = PatientFactory(organization=clerk.organization, given_name="Ada", family_name="Byrom", birth_date="1941-05-17")
    typed = PAPER | {"received_on": timezone.localdate().isoformat(), "nhs_number": "943 476 5919"}
    text = client.post(reverse("refer-paper"), typed | {"do": "look"}).content.decode()
    run, pool = (text.split(f'name="{name}" value="')[1].split('"')[0] for name in ("run", "pool"))
    typed |= {"do": "send", "run": run, "pool": pool}
    asked = client.post(reverse("refer-paper"), typed)
    assert asked.status_code == 409
    text = asked.content.decode()
    assert f'name="is" value="{record.pk}"' in text
    assert f'id="pool-{pool}" checked' in text, "what was chosen is kept"
    assert not Referral.objects.exists()
    assert client.post(reverse("refer-paper"), typed | {"is": str(record.pk)}).status_code == 302
    record.refresh_from_db()
    assert (Referral.objects.get().patient, record.nhs_number) == (record, "9434765919")
    # another of the name, with another number: the record that has one is not offered, and a new one is made
    typed |= {"nhs_number": "999 000 0018"}
    assert f'id="is-{record.pk}" disabled' in client.post(reverse("refer-paper"), typed).content.decode()
    assert client.post(reverse("refer-paper"), typed | {"is": str(record.pk)}).status_code == 422
    assert client.post(reverse("refer-paper"), typed | {"is": "another"}).status_code == 302
    assert Patient.objects.get(nhs_number="9990000018") != record


def test_a_name_is_looked_for_without_standing_in_an_address(client, referrer):
    found, other = (EpisodeFactory(patient__organization=referrer.organization, patient__family_name=name) for name in ("Zebrowski", "Ash"))
    client.force_login(referrer)
    answer = client.post(reverse("worklist-search"), {"words": "zebr", "filters": "days=1&named=1&page=3"})
    assert answer["Location"] == f"{reverse('worklist')}?days=1&named=1"
    page = client.get(answer["Location"]).content.decode()
    assert found.patient.full_name in page
    assert other.patient.full_name not in page
    assert found.patient.full_name in client.get(f"{reverse('worklist-csv')}?named=1").content.decode()
    assert other.patient.full_name in client.get(f"{reverse('worklist')}?days=1").content.decode()
    client.post(reverse("worklist-view-save"), {"name": "Mine", "filters": "named=1&days=1&nonsense=2", "first": "on"})
    assert SavedView.objects.get().filters == "days=1"
    assert client.get(reverse("worklist"))["Location"] == f"{reverse('worklist')}?days=1"


def test_many_lines_are_looked_at_first_then_changed_then_undone(client, referrer):
    stays = [EpisodeFactory(patient__organization=referrer.organization) for _ in range(2)]
    client.force_login(referrer)
    chosen = {"action": "delay", "keys": [f"e{stay.pk}" for stay in stays]}
    preview = client.post(reverse("batch-new"), chosen).content.decode()
    assert "Do this for 2 lines" in preview
    assert not Batch.objects.exists()
    key = preview.split('name="batch" value="')[1].split('"')[0]
    before = AuditEntry.objects.count()
    done = client.post(reverse("batch-new"), chosen | {"batch": key, "delay": "housing"})
    assert done["Location"] == reverse("batch", args=[key])
    page = client.get(done["Location"]).content.decode()
    assert "2 lines changed" in page
    assert "Undo all of it" in page
    assert AuditEntry.objects.count() == before + 2
    client.post(reverse("batch-undo", args=[key]))
    assert "Undone" in client.get(done["Location"]).content.decode()
    assert set(Episode.objects.values_list("delay_reason", flat=True)) == {""}
    client.force_login(UserFactory(organization=referrer.organization))
    assert client.get(done["Location"]).status_code == 404
    missing = client.post(reverse("batch-new"), {"action": "withdraw", "keys": chosen["keys"], "batch": key})
    assert missing.status_code in (200, 422)
    assert ReferralTask.objects.count() == 0
