"""Reading a whole feed: what it supports is found out first; what it sends is put aside on disk, faults are named, and only then is
the catalogue touched.

Feeds in the wild ignore parameters, count wrongly, give the same page for ever, list their services in short and lose some of them.
None of that may cost a service its place in the catalogue: see `Crawl.whole`.
"""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any

from catalogue.models import Service
from core.clock import now

from .fetch import PER_PAGE, Feed, too_deep
from .network import BrokenAnswer
from .run import BrokenSource, Importing

MAX_PAGES = 10_000
MAX_HOURS = 6
#: So many pages, or whole records, in a row that cannot be had are enough.
GIVE_UP_PAGES = 3
GIVE_UP_DETAILS = 20
#: A record that has none of these is a short one.
_DETAILS = frozenset(
    {
        "service_at_locations",
        "schedules",
        "regular_schedules",
        "attributes",
        "service_taxonomys",
        "contacts",
        "phones",
        "eligibilitys",
        "eligibility_description",
        "cost_options",
        "service_areas",
        "languages",
    }
)
#: No service is named so.
_NOBODY = "zzqxj-no-such-service"


def probe(feed: Feed) -> dict[str, Any]:
    """What a feed supports, by asking it: see docs/sources.md. Raises `BrokenSource` when it has no list of services."""
    first = feed.page(1, 2)
    records = [record for record in first.records if isinstance(record, dict)]
    found: dict[str, Any] = {
        "version": "1" if first.version_1 else _version(feed),
        "total": first.total,
        "per_page": first.total is None or len(first.records) == min(2, first.total),
        "shallow": bool(records) and all(_is_shallow(record) for record in records),
    }
    found["full"] = found["shallow"] and any(not _is_shallow(record) for record in _ask(feed, full="true") or ())
    found["modified_after"] = bool(records) and _ask(feed, modified_after="2999-01-01T00:00:00Z") == []
    found["search"] = bool(records) and _ask(feed, search=_NOBODY) == []
    found["details"] = _has_details(feed, records)
    return found


def _version(feed: Feed) -> str:
    try:
        root = feed.get(f"{feed.base}/", tries=1)
    except BrokenSource:
        return "not said"
    return str(root.get("version") or "not said")[:40] if isinstance(root, dict) else "not said"


def _ask(feed: Feed, **parameters: str) -> list[Any] | None:
    """Records that the feed gives for a parameter; None when it does not like it."""
    try:
        return [record for record in feed.page(1, 2, **parameters).records if isinstance(record, dict)]
    except BrokenSource:
        return None


def _has_details(feed: Feed, records: list[dict[str, Any]]) -> bool | None:
    record = next((record for record in records if record.get("id")), None)
    if record is None:
        return None
    try:
        whole = feed.service(str(record["id"]))
    except BrokenSource:
        return False
    return isinstance(whole, dict) and whole.get("id") == record["id"]


def _is_shallow(record: dict[str, Any]) -> bool:
    return not _DETAILS & record.keys()


class Crawl:
    """One reading of a feed. `read` it, then take its `records`."""

    def __init__(
        self,
        feed: Feed,
        importing: Importing,
        *,
        source: str,
        capabilities: dict[str, Any],
        since: datetime | None = None,
        max_pages: int = MAX_PAGES,
    ) -> None:
        self.feed = feed
        self.importing = importing
        self.source = source
        self.capabilities = capabilities
        self.since = since
        self.max_pages = max_pages
        self.whole = since is None
        """Everything that the feed has was seen, as far as one can tell: what is not among it may be missed."""
        self.unusable: list[str] = []
        """Ids of services that the feed has, but that could not be read this time."""
        self.received = 0
        self.counts_right: bool | None = None
        self._ids: set[str] = set()
        self._spool = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # lives as long as the crawl
        self._known: set[str] | None = None
        self._no_details = 0

    def close(self) -> None:
        self._spool.close()

    def read(self) -> None:
        """Fetch everything. Raises `BrokenSource` when not one page could be read."""
        self.importing.begin("Fetching", self.capabilities.get("total"))
        for number, records in self._pages():
            for index, record in enumerate(records, start=1):
                self.received += 1
                self._keep(f"page {number}, service {index}", record)
                self.importing.advance()

    def records(self) -> Iterator[tuple[str, Any]]:
        """What was fetched, from the beginning."""
        self._spool.seek(0)
        for line in self._spool:
            row, record = json.loads(line)
            yield row, record

    def _pages(self) -> Iterator[tuple[int, list[Any]]]:
        parameters = {"full": "true"} if self.capabilities.get("full") else {}
        if self.since:
            parameters["modified_after"] = self.since.strftime("%Y-%m-%dT%H:%M:%SZ")
        deadline = time.monotonic() + MAX_HOURS * 3600
        total: int | None = None
        failed, problem = 0, None
        for number in range(1, self.max_pages + 1):
            try:
                page = self.feed.page(number, PER_PAGE, **parameters)
            except BrokenSource as error:
                problem = problem or error
                failed += 1
                # Nothing came yet, and it is not this one answer that is bad: there is no such feed.
                if not self.received and not isinstance(error, BrokenAnswer):
                    raise
                self._fault(f"page {number}", "", error.message, "The other pages were taken. Nothing is taken away because of it.")
                if failed == GIVE_UP_PAGES:
                    break
                continue
            failed = 0
            total = page.total if total is None else total
            if not page.records:
                break
            before = len(self._ids)
            fresh = self._fresh(page.records)
            yield number, page.records if fresh else []
            if not fresh:
                if total is None or before < total:
                    self._fault(f"page {number}", "page", "The feed gives the same services again and again.", "The page was left out.")
                break
            ended = page.is_last or (page.total_pages is not None and number >= page.total_pages)
            full_page = page.total_pages is not None and not page.is_last and self.received != total and len(page.records) >= PER_PAGE
            # A feed that counts its pages wrongly may have more behind a last page that is full.
            if ended and not full_page:
                break
            if time.monotonic() > deadline:
                self._fault("the feed", "", f"The feed was not read to its end in {MAX_HOURS} hours.", "What came was taken.")
                break
        else:
            self._fault(
                "the feed", "page", f"The feed has no end: {self.max_pages:,} pages were read.", "What came was taken. Tell the publisher."
            )
        if problem is not None and not self.received:
            raise problem
        self._check(total)

    def _fresh(self, records: list[Any]) -> bool:
        """Whether a page has anything that was not seen before; remembers what it has."""
        ids = {str(record.get("id")) if isinstance(record, dict) else f"record {self.received + i}" for i, record in enumerate(records)}
        fresh = bool(ids - self._ids)
        self._ids |= ids
        return fresh

    def _check(self, total: int | None) -> None:
        if self.since or total is None:
            self.whole = self.whole and self.received > 0
            return
        self.counts_right = total == self.received
        if not self.counts_right:
            self.importing.leave_out(
                "the feed",
                "total_items",
                f"The feed says that it has {total:,} services, and gave {self.received:,}.",
                "What came was taken. Tell the publisher.",
            )
        self.whole = self.whole and len(self._ids) >= total and self.received > 0

    def _fault(self, row: str, field: str, reason: str, advice: str) -> None:
        """The crawl is not whole: nothing may be missed after it."""
        self.whole = False
        self.importing.reject(row, field, reason, advice)

    def _keep(self, row: str, record: Any) -> None:
        if too_deep(record):
            self.importing.reject(row, "", "The record is nested too deeply.", "A record of Open Referral UK nests about a dozen levels.")
            self.unusable.append(self._id(record))
            return
        if isinstance(record, dict) and self._id(record) and _is_shallow(record):
            record = self._completed(row, record)
            if record is None:
                return
        self._spool.write(json.dumps([row, record]))
        self._spool.write("\n")

    def _id(self, record: Any) -> str:
        return str(record.get("id") or "")[:200] if isinstance(record, dict) else ""

    def _completed(self, row: str, record: dict[str, Any]) -> dict[str, Any] | None:
        """The whole record in place of a short one; None when it cannot be had and more is known of it than the short one says."""
        if self.capabilities.get("details") is False:
            problem = "The feed has no whole records."
        elif self._no_details >= GIVE_UP_DETAILS:
            problem = f"{GIVE_UP_DETAILS} whole records before it could not be fetched."
        else:
            try:
                whole = self.feed.service(str(record["id"]))
                if isinstance(whole, dict) and whole and not too_deep(whole):
                    self._no_details = 0
                    return whole
                problem = "What came is not a service."
            except BrokenSource as error:
                problem = error.message
            self._no_details += 1
        if self._known is None:
            self._known = set(Service.objects.filter(source=self.source).values_list("source_id", flat=True))
        if self._id(record) in self._known:
            self.importing.reject(row, "id", "The whole record could not be fetched.", f"What was known of it stays. {problem}", record)
            self.unusable.append(self._id(record))
            return None
        self.importing.leave_out(row, "id", "The whole record could not be fetched.", f"The short one was taken. {problem}", record)
        return record


def is_probed(probed_at: datetime | None) -> bool:
    """Whether what a feed was found to support still counts."""
    return probed_at is not None and (now() - probed_at).days < 30
