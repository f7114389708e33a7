"""Letters to people: what they say, what they never say, how hard they are to read, and other languages."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from core.errors import Invalid
from core.models import AuditEntry
from flow.hubs.steps import HubState
from flow.letters import operations as letters
from flow.letters import wording
from flow.letters.composing import compose, plain
from flow.models import HubEntry, Letter, Patient
from flow.workflow import Status
from tests.factories import PatientFactory, PoolFactory, ReferralFactory, ReferralTaskFactory, UserFactory
from tests.factories.sharing import HubFactory

pytestmark = pytest.mark.django_db
CALL = "Sam, 01772 000 000"


def referred(referrer, *statuses: str, reason="Canary reason", **pool):
    patient = PatientFactory(organization=referrer.organization, nhs_number="9434765919", given_name="Ann", family_name="Lee")
    referral = ReferralFactory(patient=patient, reason=reason)
    pool.setdefault("service__name", "Elm House")
    for status in statuses:
        words = "Canary status words" if status in (Status.REJECTED, Status.FAILED) else ""
        task = {"status": status, "status_reason_text": words, "respond_by": timezone.now()}
        ReferralTaskFactory(referral=referral, pool=PoolFactory(**pool), **task)
    return referral


def syllables(word: str) -> int:
    """As a reader counts them, nearly: groups of vowels, but for a silent e."""
    word = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", word))
    return max(1, groups - (word.endswith("e") and not word.endswith("le") and groups > 1))


def grade(text: str) -> tuple[float, int]:
    """The Flesch-Kincaid grade, and the words of the longest sentence."""
    sentences = [found.split() for found in re.split(r"[.!?:]\s+|\n+", text) if found.strip()]
    words = [word for sentence in sentences for word in sentence]
    longest = max(map(len, sentences))
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59, longest


def measured(letter: str, referrer) -> tuple[float, int]:
    """The same of a letter, without its names."""
    for name, short in (
        (referrer.organization.name, "us"),
        ("General residential care home", "a home"),
        ("Residential care home", "a home"),
    ):
        letter = letter.replace(name, short)
    return grade(letter)


def at_a_hub(referrer, state: str):
    referral, at = referred(referrer), timezone.now()
    if state:
        HubEntry.objects.create(referral=referral, hub=HubFactory(), state=state, due_at=at, queued_at=at, changed_at=at)
    return referral


@pytest.mark.parametrize("state", ["", *HubState.values])
def test_where_no_place_was_asked_it_does_not_say_that_it_is_stopped(referrer, state):
    text = plain(compose(letters.about(referrer, at_a_hub(referrer, state).pk), language="en", call=CALL))
    said = {
        "We asked a team to find help for you.": state not in ("", "returned", "withdrawn"),
        "The team will look for a place": state not in ("", "returned", "withdrawn"),
        "We have not asked a place yet.": state in ("", "returned"),
        "We have stopped this.": state == "withdrawn",
        "We asked these places": False,
    }
    assert {words: words in text for words in said} == said
    level, longest = measured(text, referrer)
    assert level <= 4
    assert longest <= 15


@pytest.mark.parametrize(
    "statuses",
    [[status] for status in Status if status != Status.ENTERED_IN_ERROR] + [[Status.REQUESTED, Status.REQUESTED]],
    ids=lambda statuses: "+".join(statuses),
)
def test_a_child_of_nine_can_read_it(referrer, statuses):
    """Age nine is the fourth grade: sentences of at most fifteen words, the whole at grade four or below; names do not count."""
    text = plain(compose(letters.about(referrer, referred(referrer, *statuses).pk), language="en", call=CALL))
    level, longest = measured(text, referrer)
    assert level <= 4
    assert longest <= 15


def test_the_measure_knows_what_is_hard():
    assert (
        grade("Eligibility determinations necessitate comprehensive multidisciplinary consideration of individual circumstances.")[0] > 12
    )
    assert grade("We asked them to help. They said yes.")[0] < 2


def test_it_says_who_what_next_and_never_why(referrer):
    referral = referred(referrer, Status.REJECTED, Status.REQUESTED)
    text = plain(compose(letters.about(referrer, referral.pk), language="en", call=CALL))
    for said in ("Dear Ann Lee", "Elm House", "We hope to hear by", CALL, "You can say no at any time"):
        assert said in text
    assert [word for word in ("Canary", "9434765919", "PR1", "1941") if word in text] == []


def test_who_prefers_another_language_reads_that_this_is_english_and_can_be_read_to_them(referrer, client: Client):
    referral = referred(referrer, Status.REQUESTED)
    referral.patient.preferred_language = "ur"
    referral.patient.save()
    text = plain(compose(letters.about(referrer, referral.pk), language="en", call=CALL))
    assert "This letter is in English. We can read it to you in Urdu. Please ask us." in text
    level, longest = measured(text, referrer)
    assert (level <= 4, longest <= 15) == (True, True)
    client.force_login(referrer)
    page = client.get(f"/referrals/{referral.pk}/letter/").content.decode()
    assert "There is no checked letter in it yet, so this one is in English" in page
    kept = letters.write(referral_id=referral.pk, language="en", call=CALL, by=referrer, at=timezone.now())
    assert "They prefer Urdu." in client.get(f"/letters/{kept.pk}/").content.decode()


def test_a_place_that_is_confidential_is_named_nowhere(referrer):
    referral = referred(referrer, Status.ACCEPTED, service__is_confidential=True)
    text = plain(compose(letters.about(referrer, referral.pk), language="en", call=CALL))
    assert "Elm House" not in text
    assert "It is about" not in text
    assert "a safe place said yes" in text


def test_it_is_kept_as_it_was_printed_and_each_look_is_written_down(referrer, client: Client):
    referral = referred(referrer, Status.REQUESTED)
    client.force_login(referrer)
    answer = client.post(f"/referrals/{referral.pk}/letter/", {"call": CALL, "language": "en", "large": "on"})
    kept = Letter.objects.get()
    assert answer["Location"] == f"/letters/{kept.pk}/"
    referral.tasks.update(status=Status.ACCEPTED)
    before = AuditEntry.objects.filter(record_type="patient", record_id=referral.patient_id).count()
    for address in (f"/letters/{kept.pk}/", f"/letters/{kept.pk}/letter.txt"):
        page = client.get(address).content.decode()
        assert "We hope to hear by" in page
        assert "said yes." not in page
    assert AuditEntry.objects.filter(record_type="patient", record_id=referral.patient_id).count() == before + 2
    assert "lune-letter--large" in client.get(f"/letters/{kept.pk}/").content.decode()
    assert letters.usual_call(UserFactory(organization=referrer.organization)) == CALL
    client.force_login(UserFactory())
    assert {client.get(f"/letters/{kept.pk}/").status_code, client.get(f"/referrals/{referral.pk}/letter/").status_code} == {404}


def test_another_language_is_used_once_somebody_has_checked_it(
    referrer, settings, tmp_path: Path, caplog, client: Client
):  # fmt: skip
    english = wording.LETTERS.original.read_text()
    theirs = (
        english.replace('language = "English"', 'language = "Backslang"').replace("said yes", "dias sey").replace("original = true", "")
    )
    checked = 'checked_by = "A. Speaker"\nchecked_on = 2026-11-01\n'
    settings.LETTERS = str(tmp_path)
    (tmp_path / "xx.toml").write_text(theirs)
    assert list(wording.languages()) == ["en"]
    assert "who checked it" in caplog.text
    wording._read.cache_clear()
    (tmp_path / "xx.toml").write_text(
        'checked_by = "A. Speaker"\nchecked_on = 2026-11-01\n' + theirs.replace("{service} dias", "They dias")
    )
    assert list(wording.languages()) == ["en"]  # a text that lost what it is to name
    wording._read.cache_clear()
    (tmp_path / "xx.toml").write_text(checked + theirs)
    assert wording.languages() == {"en": "English", "xx": "Backslang"}
    referral = referred(referrer, Status.ACCEPTED)
    kept = letters.write(referral_id=referral.pk, language="xx", call=CALL, by=referrer, at=timezone.now())
    assert "Elm House dias sey." in plain(kept.body)
    assert (wording.best("xx"), wording.best("pl")) == ("xx", "en")
    client.force_login(referrer)
    (tmp_path / "ar.toml").write_text(checked + theirs)
    wording._read.cache_clear()
    arabic = letters.write(referral_id=referral.pk, language="ar", call=CALL, by=referrer, at=timezone.now())
    Patient.objects.filter(pk=referral.patient_id).update(preferred_language="ar")
    chosen = letters.write(referral_id=referral.pk, language="en", call=CALL, by=referrer, at=timezone.now())
    assert "There was no checked letter" not in client.get(f"/letters/{chosen.pk}/").content.decode(), "English was chosen"
    assert 'lang="ar" dir="rtl"' in client.get(f"/letters/{arabic.pk}/").content.decode()
    assert 'lang="xx" dir="ltr"' in client.get(f"/letters/{kept.pk}/").content.decode()
    with pytest.raises(Invalid, match="no letter in this language"):
        letters.write(referral_id=referral.pk, language="pl", call=CALL, by=referrer, at=timezone.now())
    wording._read.cache_clear()
