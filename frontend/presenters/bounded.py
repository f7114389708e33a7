"""Pages of a list that may be very long: counted only as far as anybody would read."""

from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Count, Window

#: Nobody turns more pages than this holds; a narrower search serves them better. A file of the list holds all.
MOST = 1_000
KEEP_SECONDS = 60


class BoundedPaginator(Paginator):
    """Counts at most `MOST` rows: to count a hundred thousand takes longer than to list the first twenty.

    A list that is `sorted_whole` (by distance, by likeness) has been gone through before its first row is known: it is counted in the
    same statement. That a list is too long to count is remembered under `key` for a minute; none is given for what somebody typed.
    """

    def __init__(self, rows: Any, per_page: int, *, sorted_whole: bool = False, key: str = "") -> None:
        super().__init__(rows, per_page)
        self.sorted_whole = sorted_whole
        self.key = key

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        if self.key and cache.get(self.key):
            return MOST + 1
        counted = rows.order_by()[: MOST + 1].count()
        if self.key and counted > MOST:
            cache.set(self.key, True, KEEP_SECONDS)
        return counted

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def has_more(self) -> bool:
        """There are more than the pages show."""
        return self._counted > MOST

    def get_page(self, number: Any) -> Page:
        if not self.sorted_whole:
            return super().get_page(number)
        asked = int(number) if str(number).isdecimal() and len(str(number)) < 6 else 1
        first = (min(max(asked, 1), MOST // self.per_page) - 1) * self.per_page
        listed: Any = self.object_list
        rows = list(listed.annotate(found=Window(Count("pk")))[first : first + self.per_page])
        if not rows and first:
            return super().get_page(number)
        self.__dict__["_counted"] = rows[0].found if rows else 0
        return Page(rows[: MOST - first], first // self.per_page + 1, self)
