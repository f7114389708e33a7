"""Reading a whole feed: what it supports is found out first; what it sends is put aside on disk, faults are named, and only then is
the catalogue touched.

Feeds in the wild ignore parameters, count wrongly, give the same page for ever, list their services in short and lose some of them.
None of that may cost a service its place in the catalogue: see `Crawl.whole`.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from catalogue.models import Service
from core.clock import now

from .fetch import PER_PAGE, Envelope, Feed, too_deep
from .kept import KEPT, Spool
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
        keep: Path | None = None,
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
        self._parameters = {"full": "true"} if capabilities.get("full") else {}
        if since:
            self._parameters["modified_after"] = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._spool = Spool(keep, {"address": feed.base, "parameters": self._parameters, "of": PER_PAGE})
        self._notes: list[tuple[str, list[Any]]] = []
        """What was said of records since the last mark."""
        self._told = 0
        """So many of `unusable` stand in marks."""
        self._page_ids: list[str] = []
        self._total: int | None = None
        self._sound = True
        """No page was missed so far."""
        self._known: set[str] | None = None
        self._no_details = 0

    def close(self, *, forget: bool = False) -> None:
        """Let go of what was fetched. Unless it is to be forgotten, the next crawl of the same goes on with it for a while."""
        self._spool.close(forget=forget)

    def read(self) -> None:
        """Fetch everything. Raises `BrokenSource` when not one page could be read."""
        after, total, ended = self._kept()
        self.importing.begin(f"Fetching, from page {after + 1} on" if after else "Fetching", self.capabilities.get("total"))
        self.importing.advance(self.received)
        for number, records in self._pages(after, total) if not ended else ():
            for index, record in enumerate(records, start=1):
                self.received += 1
                self._keep(f"page {number}, service {index}", record)
                self.importing.advance()
            self._mark(number)
        if ended:
            self._check(total)
        elif self._sound:
            self._mark(None)

    def records(self) -> Iterator[tuple[str, Any]]:
        """What was fetched, from the beginning."""
        return self._spool.records()

    def _mark(self, number: int | None) -> None:
        """Write down how far the crawl is; without a number: to the end."""
        self._spool.mark(
            page=number,
            ids=self._page_ids,
            total=self._total,
            received=self.received,
            unusable=self.unusable[self._told :],
            notes=self._notes,
            sound=self._sound,
        )
        self._notes, self._told = [], len(self.unusable)

    def _kept(self) -> tuple[int, int | None, bool]:
        """The last page that an earlier crawl had, the feed's count of then, and whether that was all; (0, None, False): begin anew.

        It goes on only when that page is still what it was: what came before has not moved either, then.
        """
        if self._spool.too_old:
            self.importing.skip(f"crawl stopped before, too long ago to go on with (over {KEPT.seconds // 3600} hours): it began anew")
        marks = self._spool.marks
        pages = [mark for mark in marks if mark["page"] is not None]
        if not pages:
            return 0, None, False
        last = pages[-1]
        page = self._page_again(last) if last["sound"] else None
        if page is None:
            self._spool.begin()
            self.importing.skip("crawl stopped before; the feed has changed or had faults since, so that it began anew")
            return 0, None, False
        self.received = last["received"]
        for mark in marks:
            self._ids.update(mark["ids"])
            self.unusable += mark["unusable"]
            for how, words in mark["notes"]:
                (self.importing.reject if how == "reject" else self.importing.leave_out)(*words)
        self._told = len(self.unusable)
        self.importing.skip("was fetched by the crawl that stopped before, and not again", self.received)
        says_last = page.is_last or (page.total_pages is not None and last["page"] >= page.total_pages)
        return last["page"], last["total"], marks[-1]["page"] is None or (says_last and self.received == last["total"])

    def _page_again(self, mark: dict[str, Any]) -> Envelope | None:
        """The page as it is now; None when it is not what it was."""
        try:
            page = self.feed.page(mark["page"], PER_PAGE, **self._parameters)
        except BrokenSource:
            return None
        return page if page.total == mark["total"] and _ids_of(mark["page"], page) == mark["ids"] else None

    def _reject(self, *words: Any) -> None:
        self._notes.append(("reject", list(words)))
        self.importing.reject(*words)

    def _leave_out(self, *words: Any) -> None:
        self._notes.append(("leave_out", list(words)))
        self.importing.leave_out(*words)

    def _pages(self, after: int, total: int | None) -> Iterator[tuple[int, list[Any]]]:
        """The pages behind that one, with what is new on them."""
        deadline = time.monotonic() + MAX_HOURS * 3600
        failed, problem = 0, None
        for number in range(after + 1, self.max_pages + 1):
            try:
                page = self.feed.page(number, PER_PAGE, **self._parameters)
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
            total = self._total = page.total if total is None else total
            if not page.records:
                break
            before = len(self._ids)
            fresh = self._fresh(number, page)
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

    def _fresh(self, number: int, page: Envelope) -> bool:
        """Whether a page has anything that was not seen before; remembers what it has."""
        self._page_ids = _ids_of(number, page)
        fresh = not self._ids.issuperset(self._page_ids)
        self._ids.update(self._page_ids)
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
        self.whole = self._sound = False
        self.importing.reject(row, field, reason, advice)

    def _keep(self, row: str, record: Any) -> None:
        if too_deep(record):
            self._reject(row, "", "The record is nested too deeply.", "A record of Open Referral UK nests about a dozen levels.")
            self.unusable.append(self._id(record))
            return
        if isinstance(record, dict) and self._id(record) and _is_shallow(record):
            record = self._completed(row, record)
            if record is None:
                return
        self._spool.add(row, record)

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
            self._reject(row, "id", "The whole record could not be fetched.", f"What was known of it stays. {problem}", record)
            self.unusable.append(self._id(record))
            return None
        self._leave_out(row, "id", "The whole record could not be fetched.", f"The short one was taken. {problem}", record)
        return record


def _ids_of(number: int, page: Envelope) -> list[str]:
    """The ids on a page; what is no record gets one of its own, which is never met again."""
    return [str(r.get("id")) if isinstance(r, dict) else f"page {number}, record {i}" for i, r in enumerate(page.records)]


def is_probed(probed_at: datetime | None) -> bool:
    """Whether what a feed was found to support still counts."""
    return probed_at is not None and (now() - probed_at).days < 30
