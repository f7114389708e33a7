"""The filters of a list page as they stand in its address."""

from django.http import QueryDict


class Query:
    """Reads and rewrites the query string, so that a link keeps the filters that it does not change."""

    def __init__(self, values: QueryDict) -> None:
        self._values = values

    def with_value(self, key: str, value: object) -> str:
        """The query string with one value replaced; another choice than the page starts again at page 1."""
        changed = self._values.copy()
        if key != "page":
            changed.pop("page", None)
        changed[key] = str(value)
        return changed.urlencode()

    def __str__(self) -> str:
        return self._values.urlencode()
