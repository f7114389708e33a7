"""What a feed was found to support, in words."""

from catalogue.models import Source

#: By what was asked: words, and what follows from yes and from no.
_WORDS = {
    "modified_after": ("Tells what changed since a day", "only that is read; everything once a week", "everything is read each time"),
    "full": ("Gives whole records in its list", "one request for each page", ""),
    "details": ("Gives each record by its id", "a short list is completed record by record", "short records stay short"),
    "search": ("Searches by words", "", ""),
    "per_page": ("Gives as many a page as it is asked for", "", ""),
    "counts_right": ("Counts its services rightly", "", "nothing is taken for missing when it gives fewer than it says"),
    "whole": ("Was read to its end the last time", "", "nothing was taken for missing"),
}


def capabilities(source: Source) -> list[tuple[str, str, str]]:
    """What was asked, the answer, and what follows from it. Empty for a source that was never asked."""
    found = source.capabilities
    if not found:
        return []
    lines = [("Version", str(found.get("version", "not said")), "")]
    if found.get("total") is not None:
        lines.append(("Services that it says it has", f"{found['total']:,}", ""))
    for key, (words, if_so, if_not) in _WORDS.items():
        if found.get(key) is not None:
            lines.append((words, "yes" if found[key] else "no", if_so if found[key] else if_not))
    return lines
