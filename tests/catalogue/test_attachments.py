"""Photos and documents: what was sent is not what is kept, and who may read it."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from catalogue.entry import attachments, operations
from catalogue.entry.approval import approve, proposal, refuse, seen_stamp
from catalogue.models import Attachment, Organization, ProposedChange
from core.errors import Invalid, NotFound
from tests.factories import ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def service(provider):
    return ServiceFactory(organization=provider.organization)


def picture(form="JPEG", size=(640, 480), mode=None, **options):
    out = io.BytesIO()
    Image.new(mode or ("RGBA" if form == "PNG" else "RGB"), size).save(out, form, **options)
    return out.getvalue()


def add(user, service, data=None, kind="photo", title="Our hall"):
    file = ContentFile(picture() if data is None else data, name="../../etc/passwd.php")
    return attachments.add(service_id=service.pk, kind=kind, title=title, file=file, by=user, at=timezone.now())


def browser(user=None):
    client = Client()
    if user:
        client.force_login(user, backend=BACKEND)
    return client


def read(client, attachment):
    answer = client.get(reverse("attachment", args=[attachment.pk]))
    return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_painted_anew(provider, service, form):
    kept = add(provider, service, picture(form, size=(2_000, 1_500)))
    with Image.open(kept.file) as image:
        assert (image.format, image.size) == ("JPEG", (1_600, 1_200))
    assert kept.file.name.startswith("attachments/")
    assert "passwd" not in kept.file.name


def test_where_and_when_it_was_taken_is_not_kept_and_it_stands_upright(provider, service):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010E] = "Canary description"
    exif.get_ifd(0x8825)[2] = (53.0, 45.0, 30.0)  # GPS
    sent = picture(size=(400, 300), exif=exif.tobytes()) + b"<?php Canary(); ?>"
    kept = add(provider, service, sent)
    data = kept.file.open().read()
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (300, 400)
        assert dict(image.getexif()) == {}
    assert b"Canary" in sent
    assert b"Canary" not in data


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("photo", b"text"), ("photo", SVG), ("photo", PDF), ("photo", b"GIF89a" + b"\0" * 50), ("photo", picture()[:300]),
        ("photo", HUGE + b"\0" * 100), ("photo", picture("PNG", size=(8_000, 8_000), mode="1")), ("photo", b""),
        ("document", picture()), ("document", b"MZ" + PDF), ("document", b"%PDF-1.7\nbroken off"), ("document", b"<html>%PDF-%%EOF"),
        ("document", PDF + b"0" * attachments.LARGEST[Attachment.Kind.DOCUMENT]), ("spell", PDF),
    ],
)  # fmt: skip
def test_what_is_no_photo_or_paper_is_refused(provider, service, kind, data):
    with pytest.raises(Invalid):
        add(provider, service, data, kind)
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_photo_without_words_is_refused(provider, service, title):
    with pytest.raises(Invalid) as refusal:
        add(provider, service, title=title)
    assert "title" in refusal.value.details["errors"]


def test_there_is_room_for_so_many(provider, service, monkeypatch):
    monkeypatch.setitem(attachments.MOST, Attachment.Kind.PHOTO, 1)
    add(provider, service)
    with pytest.raises(Invalid, match="1 already"):
        add(provider, service)


@pytest.mark.parametrize("role", ["referrer", "manager", "provider"])
def test_nobody_else_adds_or_removes(request, service, provider, role):
    kept = add(provider, service)
    other = UserFactory(provider=True) if role == "provider" else request.getfixturevalue(role)
    with pytest.raises(NotFound):
        add(other, service)
    with pytest.raises(NotFound):
        attachments.remove(attachment_id=kept.pk, by=other, at=timezone.now())
    assert browser(other).get(reverse("entry-files", args=[service.pk])).status_code in (403, 404)


def test_it_is_removed_with_its_file(provider, service, django_capture_on_commit_callbacks):
    kept = add(provider, service)
    storage, name = kept.file.storage, kept.file.name
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(attachment_id=kept.pk, by=provider, at=timezone.now())
    assert not storage.exists(name)
    said = list(ProposedChange.objects.order_by("proposed_at").values_list("content__said", flat=True))
    assert said == ["Added the photo “Our hall”", "Removed the photo “Our hall”"]


def test_a_paper_is_saved_and_never_run(provider, service):
    paper = add(provider, service, PDF, "document", "Price list <script>")
    answer, data = read(browser(), paper)
    assert data == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="price-list-script.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_public_reads_only_what_belongs_to_a_public_entry(provider, service, curator):
    kept = add(provider, service)
    assert read(browser(), kept)[0].status_code == 200
    for name, value in {"is_confidential": True, "is_internal": True, "status": "inactive"}.items():
        before = getattr(service, name)
        type(service).objects.filter(pk=service.pk).update(**{name: value})
        assert read(browser(), kept)[0].status_code == 404, name
        assert read(browser(provider), kept)[0].status_code == 200, name
        assert read(browser(curator), kept)[0].status_code == 200, name
        type(service).objects.filter(pk=service.pk).update(**{name: before})
    Organization.objects.filter(pk=service.organization_id).update(is_confidential=True)
    assert read(browser(), kept)[0].status_code == 404


def test_where_the_policy_asks_for_it_a_curator_looks_first(provider, service, curator):
    Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
    photos = [add(provider, service) for _ in range(2)]
    assert [read(browser(), photo)[0].status_code for photo in photos] == [404, 404]
    assert read(browser(provider), photos[0])[0].status_code == 200
    first, second = ProposedChange.objects.order_by("proposed_at")
    change, work = proposal(curator, first.pk)
    approve(pk=first.pk, seen=seen_stamp(change, work.live), by=curator, at=timezone.now())
    refuse(pk=second.pk, reason="Too dark.", by=curator, at=timezone.now())
    assert [read(browser(), photo)[0].status_code for photo in photos] == [200, 404]
    # and meanwhile the entry itself could be changed
    seen = operations.entry(provider, service.pk).stamp("basics")
    operations.save(pk=service.pk, part="basics", values={"name": "New"}, seen=seen, by=provider, at=timezone.now())


def test_the_page_adds_and_removes(provider, service):
    client, address = browser(provider), reverse("entry-files", args=[service.pk])
    no = client.post(address, {"kind": "photo", "title": "", "file": SimpleUploadedFile("a.jpg", picture())})
    assert (no.status_code, "Say what the photo shows" in no.content.decode()) == (422, True)
    yes = client.post(address, {"kind": "photo", "title": "Our hall", "file": SimpleUploadedFile("a.jpg", picture())})
    assert yes.status_code == 302
    assert 'alt="Our hall"' in client.get(address).content.decode()
    kept = Attachment.objects.get()
    assert client.post(reverse("entry-file-remove", args=[service.pk, kept.pk])).status_code == 302
    assert not Attachment.objects.exists()
