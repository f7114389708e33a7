"""Pages of a list that may be very long: counted only as far as anybody would read."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

#: Nobody turns more pages than this holds; a narrower search serves them better. A file of the list holds all.
MOST = 1_000


class BoundedPaginator(Paginator):
    """Counts at most `MOST` rows: to count a hundred thousand takes longer than to list the first twenty."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: MOST + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def has_more(self) -> bool:
        """There are more than the pages show."""
        return self._counted > MOST
