"""An organisation's own words for its letters: a sheet is checked sentence by sentence, and used once a manager says who checked it."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.letters import operations as letters
from flow.letters import sheet, translations
from flow.letters.composing import plain
from flow.models import Letter, LetterTranslation, Patient
from flow.workflow import Status
from tests.factories import OrganizationFactory, UserFactory
from tests.flow.test_letters import CALL, referred

pytestmark = pytest.mark.django_db


def backwards(text: str) -> str:
    """No language: each word from its end, what is filled in left as it is."""
    return " ".join(word if "{" in word else word[::-1] for word in text.split())


def filled(without=(), **instead: str) -> bytes:
    """A sheet as it comes back, with some sentences left out and some in other words (`__` for a dot)."""
    texts = {line.key: backwards(line.english) for line in sheet.lines() if line.key not in without}
    return sheet.write(texts | {key.replace("__", "."): text for key, text in instead.items()}).encode("utf-8-sig")


@pytest.fixture
def manager(referrer):
    return UserFactory(manager=True, organization=referrer.organization)


def load(by, data=None, language="ur"):
    return translations.load(language=language, data=filled() if data is None else data, by=by, at=timezone.now())


def approve(version, by, checked_by="A. Speaker"):
    return translations.approve(translation_id=version.pk, checked_by=checked_by, by=by, at=timezone.now())


def write(referral, by, language="ur"):
    return letters.write(referral_id=referral.pk, language=language, call=CALL, by=by, at=timezone.now())


def test_the_sheet_has_every_sentence_but_those_for_english_alone():
    rows = list(csv.DictReader(io.StringIO(sheet.write({}))))
    assert {row["key"] for row in rows} >= {"dear", "months.12", "next.accepted.1", "call.lines.1", "mind.lines.4"}
    assert not {"language", "original", "only_english"} & {row["key"] for row in rows}
    assert next(row["must contain"] for row in rows if row["key"] == "day") == "{number} {month}"
    assert sheet.read(filled()) == {line.key: backwards(line.english) for line in sheet.lines()}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (filled(dear="Reaed,"), "“dear” must contain {name}, and nothing else in braces"),
        (filled(dear="{name} {name.__class__}"), "must contain {name}, and nothing else"),
        (filled(dear="{name:>99999999}"), "must contain {name}, and nothing else"),
        (filled(dear="{name!r}"), "must contain {name}, and nothing else"),
        (filled(dear="{name"), "a brace too many or too few"),
        (filled(title="{name}"), "“title” must have nothing in braces"),
        (filled(title="x" * 90), "“title” is longer than 76 letters"),
        (filled(title="a\x07b"), "signs that cannot be printed"),
        (filled().replace(b"\r\ntitle,", b"\r\ntittle,"), "“tittle” is no sentence of the letter"),
        (filled() + b"dear,,,,{name}\r\n", "stands there twice"),
        (filled(without=[line.key for line in sheet.lines()]), "No sentence is translated"),
        (b"a,b\n1,2\n", "This is not the sheet"),
        (b"", "This is not the sheet"),
        ("key,translation\ndear,é".encode("utf-16"), "CSV UTF-8"),
        (b"x" * 300_001, "too large"),
    ],
)
def test_a_sheet_that_is_not_right_is_refused_in_words_and_nothing_is_kept(manager, data, says):
    with pytest.raises(Invalid, match=re.escape(says)):
        load(manager, data)
    assert not LetterTranslation.objects.exists()


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_sheet_saved_with_another_sign_between_its_columns_is_read(sign):
    data = sheet.write({}).replace(",", " ").encode()
    rows = [[line.key, "", "", "", backwards(line.english)] for line in sheet.lines()]
    out = io.StringIO()
    csv.writer(out, delimiter=sign).writerows([sheet.COLUMNS, *rows])
    assert len(sheet.read(out.getvalue().encode())) == len(rows)
    with pytest.raises(Invalid):
        sheet.read(data)


def test_letters_use_it_once_it_is_whole_and_approved_and_no_more_once_stopped(referrer, manager, client: Client):
    referral = referred(referrer, Status.ACCEPTED)
    Patient.objects.filter(pk=referral.patient_id).update(preferred_language="ur")
    half = load(manager, filled(without=["dear", "next.accepted.1"]))
    assert [line.key for line in sheet.missing(half.texts)] == ["dear", "next.accepted.1"]
    assert "Dear Ann Example," in plain(sheet.example(half.texts)), "English where not translated"
    with pytest.raises(Conflict, match="2 of its sentences are not translated"):
        approve(half, manager)
    whole = load(manager)
    with pytest.raises(Invalid, match="Say who checked it"):
        approve(whole, manager, " ")
    with pytest.raises(Invalid, match="no letter in this language"):
        write(referral, referrer)
    approve(whole, manager)
    kept = write(referral, referrer)
    assert "Elm House dias .sey" in plain(kept.body)
    assert (kept.translation, whole.number) == (whole, 2)
    client.force_login(referrer)
    shown = client.get(f"/referrals/{referral.pk}/letter/").content.decode()
    assert 'lang="ur" dir="rtl"' in shown
    assert '<option value="ur" selected>' in shown
    assert "There is no checked letter" not in shown
    page = client.get(f"/letters/{kept.pk}/").content.decode()
    assert "version 2, checked by A. Speaker, approved" in page
    assert f'lang="ur" dir="rtl">{backwards("Help for you")}</h1>' in page
    elsewhere = UserFactory()
    assert list(translations.languages_of(elsewhere.organization_id)) == ["en"]
    translations.stop(translation_id=whole.pk, by=manager, at=timezone.now())
    with pytest.raises(Invalid, match="no letter in this language"):
        write(referral, referrer)
    assert client.get(f"/letters/{kept.pk}/").content.decode().count(backwards("Help for you")) == 1, "what was printed stays"


def test_what_no_longer_fits_the_letter_is_not_used(referrer, manager, monkeypatch):
    version = load(manager)
    approve(version, manager)
    new = [*sheet.lines(), sheet.Line("next.new.1", "Something new.")]
    monkeypatch.setattr(sheet, "lines", lambda: new)
    assert "ur" not in translations.languages_of(referrer.organization_id)
    assert translations.used(referrer.organization_id, "ur") is None
    monkeypatch.setattr(sheet, "lines", lambda: [sheet.Line("dear", "Dear {first} {name},")])
    assert translations.used(referrer.organization_id, "ur") is None, "the English names something more"


def test_only_its_own_managers_change_it(referrer, manager):
    version, other = load(manager), UserFactory(manager=True, organization=OrganizationFactory(hospital=True))
    with pytest.raises(NotFound):
        approve(version, other)
    with pytest.raises(NotAllowed):
        load(referrer)
    with pytest.raises(Invalid, match="Choose the language"):
        load(manager, language="en")
    approve(version, manager)
    with pytest.raises(Conflict, match="approved already"):
        approve(version, manager)


def test_the_pages_load_show_and_approve(referrer, manager, client: Client):
    client.force_login(manager)
    assert "Only English yet" in client.get("/letters/words/").content.decode()
    wrong = SimpleUploadedFile("letter.csv", filled(title="{name}"))
    refused = client.post("/letters/words/", {"language": "ur", "file": wrong})
    assert refused.status_code == 422
    assert "Nothing was loaded. row " in refused.content.decode()
    half = client.post("/letters/words/", {"language": "ur", "file": SimpleUploadedFile("a.csv", filled(without=["title"]))}).url
    shown = client.get(half).content.decode()
    assert "1 sentence is not translated: English where not translated." in shown
    assert 'name="approve"' not in shown
    again = client.get("/letters/words/sheet.csv?language=ur").content
    assert sheet.read(again) == LetterTranslation.objects.get().texts, "the sheet comes out with what there is"
    whole = client.post("/letters/words/", {"language": "ur", "file": SimpleUploadedFile("a.csv", filled())}).url
    assert client.post(whole, {"approve": "1", "checked_by": ""}).status_code == 422
    client.post(whole, {"approve": "1", "checked_by": "A. Speaker"})
    assert "Checked by A. Speaker, approved" in client.get(whole).content.decode()
    listed = client.get("/letters/words/").content.decode()
    assert listed.count("In use") == 1
    assert Letter.objects.count() == 0
    client.post(whole, {"stop": "1"})
    assert "Stopped" in client.get(whole).content.decode()
    client.force_login(UserFactory(manager=True, organization=OrganizationFactory(hospital=True)))
    assert client.get(whole).status_code == 404
