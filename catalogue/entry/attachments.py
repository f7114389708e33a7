"""Pictures and papers of an entry. Pictures are made anew before they are kept, papers are checked for what they are."""

from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Q

from catalogue.entry.operations import Status, lock
from catalogue.models import Attachment, Merge, ProposedChange, User
from catalogue.operations import announce
from core import uploads
from core.errors import Invalid, NotFound
from core.uploads import MEGABYTE

LARGEST = {Attachment.Kind.PHOTO: 10 * MEGABYTE, Attachment.Kind.DOCUMENT: 10 * MEGABYTE}
#: So many of each kind belong to one service.
MOST = {Attachment.Kind.PHOTO: 12, Attachment.Kind.DOCUMENT: 20}
#: Pictures are shown no larger.
SIDE = 1600


@transaction.atomic
def add(*, service_id: UUID, kind: str, title: str, file: File, by: User, at: datetime) -> Attachment:
    """Add a picture or a paper. Where the organisation's changes need approval, it is shown when a curator has approved it.

    `title` says what a picture shows, for those who cannot see it, or what a paper is called. Raises Invalid with `errors` by field.
    """
    work = lock(service_id, by)
    if work.service is None:
        raise NotFound("Publish the entry first, then add pictures and papers.")
    title = " ".join(title.split())
    if kind not in Attachment.Kind.values:
        raise _wrong("kind", "Choose whether it is a photo or a document.")
    if not title or len(title) > 200:
        of_a_photo, of_a_paper = "Say in up to 200 characters what the photo shows.", "Give the document a name of up to 200 characters."
        raise _wrong("title", of_a_photo if kind == Attachment.Kind.PHOTO else of_a_paper)
    if work.service.attachments.filter(kind=kind).count() >= MOST[Attachment.Kind(kind)]:
        raise _wrong("file", f"There are {MOST[Attachment.Kind(kind)]} already. Remove one first.")
    if not file.size or file.size > LARGEST[Attachment.Kind(kind)]:
        raise _wrong("file", f"Choose a file of up to {LARGEST[Attachment.Kind(kind)] // MEGABYTE} MB.")
    data = file.read()
    made = _made(kind, data)
    suffix, content_type = ("jpg", "image/jpeg") if kind == Attachment.Kind.PHOTO else ("pdf", "application/pdf")
    keeper = by.is_curator or by.is_administrator
    waits = not keeper and work.service.organization.edits_need_approval
    attachment = Attachment(
        service=work.service,
        kind=kind,
        title=title,
        content_type=content_type,
        size=len(made),
        added_by=by,
        added_at=at,
        is_shown=not waits,
    )
    # The name is ours: what somebody called the file may name a person, or be a path.
    attachment.file.save(f"{attachment.pk}.{suffix}", ContentFile(made), save=False)
    attachment.save()
    _note(work.service, f"Added the {attachment.get_kind_display().lower()} “{title}”", [str(attachment.pk)], waits, by, at)
    return attachment


@transaction.atomic
def remove(*, attachment_id: UUID, by: User, at: datetime) -> None:
    """Take a picture or paper away, its file too."""
    attachment = Attachment.objects.visible_to(by).filter(pk=attachment_id).first()
    if attachment is None:
        raise NotFound("There is no such file. It may have been removed already.")
    lock(attachment.service_id, by)
    _note(attachment.service, f"Removed the {attachment.get_kind_display().lower()} “{attachment.title}”", [], False, by, at)
    discard(attachment)


def discard(attachment: Attachment) -> None:
    """Delete a row, and its file once that is certain; not the file that a merged record shows too, or shows again when it is undone."""
    storage, name = attachment.file.storage, attachment.file.name or ""
    attachment.delete()
    merged = Merge.objects.filter(Q(kept=attachment.service_id) | Q(gone=attachment.service_id), undone_at=None)
    if not (Attachment.objects.filter(file=name).exists() or merged.exists()):
        transaction.on_commit(lambda: storage.delete(name))


def _note(service, said: str, ids: list[str], waits: bool, by: User, at: datetime) -> None:
    """Write it into the entry's history; or, when a curator must look, into what waits."""
    ProposedChange.objects.create(
        organization=service.organization, service=service, content={"attachments": ids, "said": said}, proposed_by=by, proposed_at=at,
        status=Status.WAITING if waits else Status.MADE, decided_by=None if waits else by, decided_at=None if waits else at,
    )  # fmt: skip
    if not waits:
        announce(service)


def _made(kind: str, data: bytes) -> bytes:
    """The picture painted anew, or the PDF if it is one, whatever its name says."""
    try:
        return uploads.picture(data, side=SIDE) if kind == Attachment.Kind.PHOTO else uploads.pdf(data)
    except Invalid as error:
        raise _wrong("file", error.message) from error


def _wrong(name: str, text: str) -> Invalid:
    return Invalid(text, errors={name: [text]})
