"""Identifiers."""

import uuid

#: Source of UUIDv5 names, so that a foreign record gets the same id at each import.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://openreferraluk.org/lune")


def derived(*parts: str) -> uuid.UUID:
    """The same UUID for the same parts, always: `derived("cqc", "1-101")`."""
    return uuid.uuid5(NAMESPACE, "\x1f".join(parts))
