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

    def without(self, *keys: str, value: str | None = None) -> str:
        """The query string without these; with `value`, without that one of the several values of a key."""
        changed = self._values.copy()
        changed.pop("page", None)
        for key in keys:
            rest = [each for each in changed.getlist(key) if value is not None and each != value]
            changed.setlist(key, rest) if rest else changed.pop(key, None)
        return changed.urlencode()

    def __str__(self) -> str:
        return self._values.urlencode()
