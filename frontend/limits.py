"""How often one address of the network may ask, for pages that need no account."""

import time

from django.core.cache import cache
from django.http import HttpRequest

from core.client import address_of


def too_often(request: HttpRequest, action: str, *, a_minute: int) -> bool:
    """Count this request, and say whether there were too many like it within this minute. While Redis is away each process counts alone."""
    key = f"limit:{action}:{address_of(request)}:{int(time.time()) // 60}"
    if cache.add(key, 1, 120):
        return False
    try:
        return cache.incr(key) > a_minute
    except ValueError:  # it ran out between the two
        return False
