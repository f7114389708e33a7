"""One import of one source, whatever its kind: fetch or open, map, write, remember what it has, and how it went with the source."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import httpx
from django.conf import settings
from rich.progress import Progress

from catalogue.models import ImportRun, Source
from core.clock import now
from core.errors import Conflict

from . import boundaries, cqc, documents, kept, ods, oruk, package, postcodes, seen, spreadsheet
from .crawl import Crawl, is_probed, probe
from .fetch import Feed
from .network import Client, Limits, shown
from .progress import Stopped
from .run import BrokenSource, Importing, run_import
from .version1 import as_version_3

#: A feed that knows `modified_after` is read whole at least so often, for only then is it seen what it no longer has.
WHOLE_EVERY = timedelta(days=7)
#: Clocks differ, and a change may be written down late.
OVERLAP = timedelta(hours=6)
#: However often it fails, a source is tried again after so long.
LONGEST_WAIT = timedelta(days=7)

Kind = Source.Kind
#: Kinds whose address is that of a feed with pages, not of a file.
FEEDS = frozenset({Kind.ORUK_3, Kind.ORUK_1})
#: Kinds whose files are of a form of their own.
_FILES: dict[Kind, Callable[[Path, Importing], None]] = {
    Kind.CQC: lambda path, importing: cqc.load([path], importing),
    Kind.ODS: lambda path, importing: ods.load([path], importing),
    Kind.POSTCODES: postcodes.load,
    Kind.BOUNDARIES: lambda path, importing: boundaries.load([path], importing),
}
_FILE_ENDINGS = (".json", ".ndjson", ".jsonl", ".gz", ".zip", ".xlsx", ".csv")


def run_source(
    source: Source,
    *,
    path: Path | None = None,
    whole: bool = False,
    allow_private: bool = False,
    bar: Progress | None = None,
    run: ImportRun | None = None,
    told: str = "",
    limits: Limits | None = None,
) -> Importing:
    """Import a source from its address, or from a file in its place.

    `whole`: the file has everything that the source has, so that what is not in it may be missed. `told`: what to call it, when not
    by its address or file name. Raises as `run_import`.
    """
    told = told or (path.name if path else shown(source.url))
    job = _Job(source, path, whole, allow_private or source.allow_private, limits or Limits())
    began = now()
    try:
        with job.stack:
            importing = run_import(
                {Kind.ORUK_3: "oruk", Kind.ORUK_1: "oruk"}.get(Kind(source.kind), source.kind),
                told,
                job.work,
                bar=bar,
                feed=source,
                run=run,
                prepare=job.prepare,
            )
    except (Stopped, Conflict):  # no fault of the source's
        raise
    except Exception:
        _went_wrong(source)
        raise
    if job.crawl:
        job.crawl.close(forget=True)  # it is in the catalogue now
    _went_well(source, began)
    return importing


class _Job:
    """What is held open during one import."""

    def __init__(self, source: Source, path: Path | None, whole: bool, allow_private: bool, limits: Limits) -> None:
        self.source = source
        self.path = path
        self.whole = whole
        self.allow_private = allow_private
        self.limits = limits
        self.stack = ExitStack()
        self.began = now()
        self.crawl: Crawl | None = None

    def prepare(self, importing: Importing) -> None:
        """All that goes over the network, before the catalogue is touched."""
        if self.path is not None:
            return
        if not self.source.url:
            raise BrokenSource("The source has no address. Give it one, or upload its file.")
        if self.source.kind in FEEDS and not self.source.url.split("?")[0].lower().endswith(_FILE_ENDINGS):
            self._read_feed(importing)
        else:
            self._download(importing)

    def work(self, importing: Importing) -> None:
        """What changes the catalogue, in one transaction."""
        if self.path is not None and (load := _FILES.get(Kind(self.source.kind))):
            load(self.path, importing)
            return
        importing.begin("Writing", self.crawl.received if self.crawl else None)
        oruk.take(importing, self.source, self._records(importing))
        if self.crawl:
            seen.still_there(self.source, self.crawl.unusable)
            if not self.crawl.whole and not self.crawl.since:
                importing.skip("was not read to its end, so nothing was taken for missing")
        if self.crawl.whole if self.crawl else self.whole:
            seen.miss(self.source, importing, self.began)

    def _records(self, importing: Importing) -> Iterator[tuple[str, Any]]:
        if self.crawl:
            return ((row, as_version_3(record)) for row, record in self.crawl.records())
        assert self.path is not None
        if self.source.kind == Kind.HSDS_PACKAGE:
            return package.services(self.path, importing)
        if self.source.kind == Kind.SPREADSHEET:
            return spreadsheet.services(self.path, importing)
        return ((row, as_version_3(record)) for row, record in documents.services(self.path, importing))

    def _read_feed(self, importing: Importing) -> None:
        source = self.source
        feed = self.stack.enter_context(Feed(source.url, allow_private=self.allow_private, limits=self.limits))
        if not is_probed(source.probed_at):
            importing.begin("Finding out what the feed supports", None)
            source.capabilities = probe(feed)
            source.probed_at = now()
            source.save(update_fields=["capabilities", "probed_at"])
        keep = kept.place(Path(settings.IMPORTS_ROOT), source.pk)
        self.crawl = Crawl(feed, importing, source=source.name, capabilities=source.capabilities, since=self._since(), keep=keep)
        self.stack.callback(self.crawl.close)
        self.crawl.read()
        told: dict[str, Any] = {"whole": self.crawl.whole}
        if self.crawl.counts_right is not None:
            told["counts_right"] = self.crawl.counts_right
        if self.crawl.whole:
            told["whole_at"] = self.began.isoformat()
        source.capabilities = {**source.capabilities, **told}
        source.save(update_fields=["capabilities"])

    def _since(self) -> datetime | None:
        """Since when changes are asked for; None: everything."""
        whole_at = self.source.capabilities.get("whole_at")
        last = self.source.runs.filter(status=ImportRun.Status.DONE).order_by("-started_at").first()
        if not self.source.capabilities.get("modified_after") or not whole_at or last is None:
            return None
        if self.began - datetime.fromisoformat(whole_at) >= WHOLE_EVERY:
            return None
        return last.started_at - OVERLAP

    def _download(self, importing: Importing) -> None:
        importing.begin("Fetching", None)
        ending = next((e for e in _FILE_ENDINGS if self.source.url.split("?")[0].lower().endswith(e)), "")
        file = self.stack.enter_context(NamedTemporaryFile(suffix=ending))  # noqa: SIM115  # the stack closes it
        client = self.stack.enter_context(Client(allow_private=self.allow_private, limits=self.limits))
        try:
            client.save(self.source.url, file)
        except httpx.HTTPError as error:
            raise BrokenSource(f"{shown(self.source.url)} did not answer ({type(error).__name__}). Try again later.") from error
        file.flush()
        self.path, self.whole = Path(file.name), True


def _went_well(source: Source, began: datetime) -> None:
    source.refresh_from_db(fields=["every_hours"])
    source.failures = 0
    source.next_run_at = began + timedelta(hours=source.every_hours) if source.every_hours else None
    source.save(update_fields=["failures", "next_run_at"])


def _went_wrong(source: Source) -> None:
    """Each failure doubles the wait."""
    source.refresh_from_db(fields=["every_hours", "failures"])
    source.failures = min(source.failures + 1, 1_000)
    if source.every_hours:
        wait = timedelta(hours=source.every_hours) * 2 ** min(source.failures, 10)
        source.next_run_at = now() + min(wait, max(LONGEST_WAIT, timedelta(hours=source.every_hours)))
    source.save(update_fields=["failures", "next_run_at"])
