"""Documents about a person: taken in, scanned, shared, withdrawn, erased. Reached through `flow.casework.operations`.

A file that waits for the scanner is opened by nobody, nor is one in which something was found. Files carry random names without an ending,
in a folder of their own (`LUNE_DOCUMENTS_ROOT`).
"""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Q

from catalogue.models import User
from core import scanning, uploads
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from core.scanning import ScannerAway
from flow.casework.notes import may_share_on, tell_both
from flow.casework.words import checked
from flow.models import Document, Patient
from flow.models.document import storage
from flow.people import hold_record

logger = logging.getLogger(__name__)
State = Document.State
#: So many belong to one person.
MOST = 300
#: A file that has waited so long for the scanner is told to whoever added it.
LONG_WAIT = timedelta(hours=1)
NOT_SCANNED = "not-scanned"
#: Files of which no row tells are erased after this time: one that is just being taken in has none yet.
STRAY = timedelta(days=1)


def add(
    *, patient_id: UUID, title: str, file: File, by: User, at: datetime, referral_id: UUID | None = None, shared: bool = False
) -> Document:
    """Take a file in, if it is of a kind that is taken. With a scanner it is opened by nobody until that has looked through it.

    `shared`: the other side of the referral may open it, once the service has said yes. Raises NotAllowed, NotFound, Invalid (with
    `field`) and Conflict (`too-many`).
    """
    if by.organization_id is None or not (by.is_referrer or by.is_provider):
        raise NotAllowed("Documents are added by those who refer people or support them.")
    if not Patient.objects.visible_to(by).filter(pk=patient_id).exists():
        raise NotFound("That person is not in your organisation’s records.")
    title = " ".join(checked(title, "Give the document a name.", longest=120, field="title").split())
    if shared and referral_id is None:
        raise Invalid("Choose the referral on which the document is shared.", field="referral")
    if referral_id is not None and not may_share_on(by, patient_id, referral_id):
        raise NotFound("There is no such referral for this person.")
    if Document.objects.filter(patient_id=patient_id, organization=by.organization, withdrawn_at=None).count() >= MOST:
        raise Conflict(f"There are {MOST} documents already. Withdraw those that nobody needs.", code="too-many")
    kept = uploads.document(_read(file))
    document = Document(
        patient_id=patient_id,
        referral_id=referral_id,
        organization_id=by.organization_id,
        title=title,
        content_type=kept.content_type,
        size=len(kept.data),
        sha256=hashlib.sha256(kept.data).hexdigest(),
        state=State.HELD if settings.SCANNER else State.UNSCANNED,
        shared_at=at if shared else None,
        added_by=by,
        added_at=at,
    )
    name = secrets.token_hex(20)
    document.file.save(f"{name[:2]}/{name}", ContentFile(kept.data), save=False)
    try:
        with transaction.atomic():
            if not hold_record(patient_id, Patient.objects.visible_to(by)):
                raise NotFound("That person is not in your organisation’s records.")
            document.save(force_insert=True)
            _tell(document)
            if document.state == State.HELD:
                _ask_for_scan(document)
    except BaseException:
        storage().delete(document.file.name or "")
        raise
    return document


def scan(*, document_id: UUID, at: datetime) -> str:
    """Have a file that waits looked through. Returns the state that it is in then. Raises ScannerAway: to be tried again."""
    waiting = Document.objects.filter(pk=document_id, state__in=[State.HELD, State.UNSCANNED], withdrawn_at=None).first()
    scanner = scanning.scanner()
    if waiting is None or scanner is None or not waiting.file:
        return ""
    with waiting.file.open("rb") as content:
        verdict = scanner.scan(content)  # may take a while: nothing is locked
    with transaction.atomic():
        document = Document.objects.select_for_update(of=("self",)).get(pk=document_id)
        document.state = State.CLEAN if verdict.is_clean else State.QUARANTINED
        document.finding, document.scanned_at = verdict.finding, at
        document.version += 1
        document.save(update_fields=["state", "finding", "scanned_at", "version"])
        if verdict.is_clean:
            _tell(document)
        else:
            _tell_held(document, "infected")
    return document.state


def scan_waiting(*, at: datetime, most: int = 50) -> int:
    """Scan what still waits, the oldest first, and tell once who added what has waited long. Returns how many were scanned."""
    if scanning.scanner() is None:
        return 0
    waiting = Document.objects.filter(state__in=[State.HELD, State.UNSCANNED], withdrawn_at=None).exclude(file="").order_by("added_at")
    done = 0
    for document_id in list(waiting.values_list("pk", flat=True)[:most]):
        try:
            done += bool(scan(document_id=document_id, at=at))
        except ScannerAway:
            break
        except OSError:  # its file is gone or cannot be read: told below, and the others go on
            logger.warning("The file of document %s cannot be read", document_id, exc_info=True)
    with transaction.atomic():
        for document in waiting.filter(state=State.HELD, added_at__lt=at - LONG_WAIT, finding="").select_for_update(of=("self",))[:most]:
            document.finding = NOT_SCANNED
            document.save(update_fields=["finding"])
            _tell_held(document, NOT_SCANNED)
    return done


@transaction.atomic
def share(
    *, document_id: UUID, shared: bool, by: User, at: datetime, referral_id: UUID | None = None, expected_version: int | None = None
) -> Document:
    """Let the other side of a referral open the document, or not any more. What they have saved by then is theirs.

    Raises NotFound, Invalid and Conflict (`stale-version`, `withdrawn`).
    """
    document = _lock(document_id, by, expected_version)
    before = document.referral_id
    if shared:
        document.referral_id = referral_id or document.referral_id
        if document.referral_id is None:
            raise Invalid("Choose the referral on which the document is shared.", field="referral")
        if not may_share_on(by, document.patient_id, document.referral_id):
            raise NotFound("There is no such referral for this person.")
    was_shared = document.shared_at is not None
    if shared == was_shared and before == document.referral_id:
        return document
    document.shared_at = at if shared else None
    document.version += 1
    document.save(update_fields=["referral", "shared_at", "version"])
    _tell(document, also=was_shared)
    return document


@transaction.atomic
def withdraw(*, document_id: UUID, reason: str, by: User, at: datetime, expected_version: int | None = None) -> Document:
    """Take a document back: nobody opens it any more, and its file is erased after some days. That there was one goes on being told.

    Raises NotFound, Invalid and Conflict (`stale-version`, `withdrawn`).
    """
    document = _lock(document_id, by, expected_version)
    document.withdrawn_reason = checked(reason, "Say why the document is withdrawn.", longest=300, field="reason")
    document.withdrawn_at, document.withdrawn_by = at, by
    document.version += 1
    document.save(update_fields=["withdrawn_reason", "withdrawn_at", "withdrawn_by", "version"])
    _tell(document)
    return document


def forget(*, at: datetime) -> int:
    """Erase the files of what was withdrawn or locked away long ago, and files of which no row tells. Returns how many."""
    since = at - timedelta(days=settings.DOCUMENT_KEEP_DAYS)
    old = Q(withdrawn_at__lt=since) | Q(state=State.QUARANTINED, scanned_at__lt=since)
    erased = 0
    for document in Document.objects.filter(old).exclude(file=""):
        name = document.file.name or ""
        Document.objects.filter(pk=document.pk).update(file="")
        storage().delete(name)
        erased += 1
    return erased + _sweep(at)


def _sweep(at: datetime) -> int:
    """A process that was killed between the file and its row leaves a file that belongs to nobody."""
    root, erased = Path(settings.DOCUMENTS_ROOT), 0
    for folder in sorted(root.iterdir()) if root.exists() else []:
        old = [file for file in folder.iterdir() if file.stat().st_mtime < (at - STRAY).timestamp()] if folder.is_dir() else []
        names = {f"{folder.name}/{file.name}": file for file in old}
        known = set(Document.objects.filter(file__in=names).values_list("file", flat=True))
        for name in names.keys() - known:
            names[name].unlink(missing_ok=True)
            erased += 1
    return erased


def _read(file: File) -> bytes:
    largest = settings.DOCUMENT_MEGABYTES
    if not file.size:
        raise Invalid("That file is empty. Choose another one.", field="file")
    if file.size > largest * uploads.MEGABYTE:
        raise Invalid(f"Choose a file of up to {largest} MB.", field="file")
    data = file.read(largest * uploads.MEGABYTE + 1)
    if len(data) > largest * uploads.MEGABYTE:
        raise Invalid(f"Choose a file of up to {largest} MB.", field="file")
    return data


def _lock(document_id: UUID, by: User, expected_version: int | None) -> Document:
    """A document of one's own organisation: the other side opens what is shared, and changes none of it."""
    own = Document.objects.visible_to(by).filter(organization=by.organization)
    document = own.select_for_update(of=("self",)).filter(pk=document_id).first()
    if document is None:
        raise NotFound("There is no such document of your organisation.")
    if expected_version is not None and expected_version != document.version:
        raise Conflict("Somebody has changed this document since you looked. Look again.", code="stale-version", version=document.version)
    if document.withdrawn_at is not None:
        raise Conflict("This document is withdrawn.", code="withdrawn")
    return document


def _tell(document: Document, *, also: bool = False) -> None:
    tell_both(
        document.organization_id,
        document.referral_id,
        shared=also or document.shared_at is not None,
        type="document.changed",
        data={"document": str(document.pk), "version": document.version},
    )


def _tell_held(document: Document, why: str) -> None:
    """To whoever added it: it stays locked, and why."""
    data: dict[str, object] = {"document": str(document.pk), "why": why, "version": document.version}
    if document.added_by_id:
        data["to"] = [str(document.added_by_id)]
    publish("document.held", topics=[f"org:{document.organization_id}"], audience=[document.organization_id], data=data)


def _ask_for_scan(document: Document) -> None:
    from flow.tasks import scan_document  # the task calls this module

    scan_document.defer(document_id=str(document.pk))
