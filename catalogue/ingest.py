"""What people do with sources, and what the clock does: set one up, read it now, stop that, read those that are due.

Reading takes long, so that a worker does it (`catalogue.tasks.import_source`), one source at a time.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from procrastinate.contrib.django import app

from catalogue.importers.network import shown
from catalogue.importers.progress import is_running
from catalogue.importers.source import run_source
from catalogue.models import ImportRun, Source, User
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound

logger = logging.getLogger(__name__)

#: What may be said of a source. Its name is what its records carry, and never changes.
FIELDS = frozenset(
    {
        "kind",
        "url",
        "licence",
        "licence_url",
        "attribution",
        "contact_email",
        "is_active",
        "allow_private",
        "every_hours",
    }
)
WAITING = "Waiting for its turn"
LARGEST_UPLOAD = 50_000_000
#: A run that says nothing for so long, while no import holds the lock, has died.
SILENT = timedelta(minutes=10)


@transaction.atomic
def add_source(*, by: User, at: datetime, name: str, kind: str, **fields: Any) -> Source:
    """Set up a publisher's feed or file."""
    _check(by)
    name = name.strip()
    if Source.objects.filter(name__iexact=name).exists():
        raise Invalid("There is a source of that name already.", errors={"name": ["There is a source of that name already."]})
    return _put(Source(name=name, kind=kind), by, at, fields)


@transaction.atomic
def edit_source(*, source_id: UUID, by: User, at: datetime, **fields: Any) -> Source:
    """Change what is said of a source: its address, licence, contact, how often it is read."""
    _check(by)
    return _put(_lock(source_id, by), by, at, fields)


@transaction.atomic
def start(
    *, source_id: UUID, by: User, at: datetime, file: Iterable[bytes] | None = None, file_name: str = "", whole: bool = False
) -> ImportRun:
    """Read a source as soon as a worker is free: from its address, or from a file that was sent in its place."""
    _check(by)
    source = _lock(source_id, by)
    if file is None and not source.url:
        raise Invalid("This source has no address. Upload its file, or give it an address.", code="no-address")
    return _start(source, path=_stored(file, file_name) if file is not None else None, told=file_name, whole=whole)


@transaction.atomic
def stop(*, run_id: UUID, by: User, at: datetime) -> ImportRun:
    """Ask a run to end; within a second it does, and nothing is changed."""
    _check(by)
    # The run's row may be held by the import that it is about: what is asked is written beside it.
    run = ImportRun.objects.visible_to(by).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    if run.status != ImportRun.Status.RUNNING:
        raise Conflict("This import has ended already.", code="import-ended")
    changes: dict[str, Any] = {"stop_requested_at": at}
    if run.stage == WAITING:
        changes |= {"status": ImportRun.Status.STOPPED, "finished_at": at, "stage": ""}
    ImportRun.objects.filter(pk=run_id, status=ImportRun.Status.RUNNING).update(**changes)
    run.refresh_from_db()
    return run


@transaction.atomic
def start_due(*, at: datetime) -> list[ImportRun]:
    """Start what is due, and write down what died. Each is read one after the other."""
    _bury(at)
    due = Source.objects.filter(is_active=True, every_hours__isnull=False, next_run_at__lte=at).exclude(url="").order_by("next_run_at")
    started = []
    for source in due.exclude(runs__status=ImportRun.Status.RUNNING).select_for_update(skip_locked=True, of=("self",)):
        source.next_run_at = at + timedelta(hours=source.every_hours or 24)
        source.save(update_fields=["next_run_at"])
        started.append(_start(source))
    return started


def carry_out(*, run_id: UUID, file: str = "", whole: bool = False) -> str:
    """Do a run that was asked for. Returns how it went; what went wrong is told in the run."""
    path = Path(file) if file else None
    run = ImportRun.objects.select_related("feed").filter(pk=run_id).first()
    try:
        # A worker that died in the middle left the row as it was; somebody may have stopped it before it began.
        if run is None or run.feed is None or run.status != ImportRun.Status.RUNNING:
            return "nothing to do"
        told = run.source
        done = run_source(run.feed, path=path, whole=whole, run=run, told=told)
        return str(done.run.status)
    except LuneError as error:
        logger.info("import %s: %s", run_id, error.code)
        return error.code
    finally:
        if path:
            path.unlink(missing_ok=True)


def _check(by: User) -> None:
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only a curator of the directory or an administrator looks after sources.")


def _lock(source_id: UUID, by: User) -> Source:
    source = Source.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=source_id).first()
    if source is None:
        raise NotFound("There is no such source.")
    return source


def _put(source: Source, by: User, at: datetime, fields: Mapping[str, Any]) -> Source:
    if unknown := sorted(fields.keys() - FIELDS):
        raise Invalid(f"A source has no {', '.join(unknown)}.")
    before = (source.url, source.kind, source.every_hours)
    opened = bool(fields.get("allow_private", source.allow_private))
    moved = "url" in fields and fields["url"] != source.url
    if not by.is_administrator and (opened != source.allow_private or (opened and moved)):
        words = "Only an administrator lets a source reach into our own network, or changes the address of one that may."
        raise NotAllowed(words, errors={"url": [words]})
    for name, value in fields.items():
        setattr(source, name, value)
    try:
        source.full_clean()
    except ValidationError as error:
        raise Invalid("Some of this cannot be saved. Correct it and try again.", errors=error.message_dict) from error
    if source.url and urlsplit(source.url).scheme not in ("http", "https"):
        words = "The address must begin with https:// or http://."
        raise Invalid(words, errors={"url": [words]})
    if (source.url, source.kind) != before[:2]:
        source.probed_at, source.capabilities = None, {}
    if source.every_hours != before[2]:
        source.next_run_at = at if source.every_hours else None
    source.save()
    return source


def _start(source: Source, *, path: Path | None = None, told: str = "", whole: bool = False) -> ImportRun:
    if source.runs.filter(status=ImportRun.Status.RUNNING).exists():
        raise Conflict("This source is being read already. Wait for that, or stop it.", code="import-running")
    run = ImportRun.objects.create(kind=source.kind, source=(told or shown(source.url))[:500], feed=source, stage=WAITING)
    job = app.configure_task("catalogue.tasks.import_source", lock="import")
    job.defer(run_id=str(run.pk), file=str(path or ""), whole=whole)
    return run


def _stored(file: Iterable[bytes], name: str) -> Path:
    """The file where the worker finds it. It is deleted when it was read."""
    folder = Path(settings.IMPORTS_ROOT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ending = Path(name).suffix.lower()
    path = folder / f"{uuid.uuid4()}{ending if ending.isascii() and len(ending) < 8 else ''}"
    size = 0
    with path.open("wb") as out:
        for piece in file:
            size += len(piece)
            if size > LARGEST_UPLOAD:
                break
            out.write(piece)
    if not size or size > LARGEST_UPLOAD:
        path.unlink()
        words = f"The file is larger than {LARGEST_UPLOAD // 1_000_000} MB. Split it." if size else "The file is empty."
        raise Invalid(words, errors={"file": [words]})
    return path


def _bury(at: datetime) -> None:
    """Runs whose process ended without a word: nothing of them was written."""
    silent = ImportRun.objects.filter(status=ImportRun.Status.RUNNING, started_at__lt=at - SILENT).exclude(stage=WAITING)
    if silent.exists() and not is_running():
        words = "The import ended without a word: its process was stopped. Nothing was changed. Start it again."
        silent.update(status=ImportRun.Status.FAILED, error=words, finished_at=at)
