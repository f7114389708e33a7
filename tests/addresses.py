"""Every address of the site, as the tests that walk them all need it."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Each pattern of the site with the text that stands before it."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry, prefix + str(entry.pattern))
        else:
            yield prefix, entry


def path_of(prefix: str, pattern: URLPattern, values: dict[str, object]) -> str:
    """The address with its parameters filled in."""
    form, names = normalize(pattern.pattern.regex.pattern)[0]
    return "/" + prefix + form % {name: values[name] for name in names}
