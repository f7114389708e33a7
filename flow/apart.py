"""One thing among many that the clock does: when it cannot be done, that is logged, and the others are done all the same."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def apart(what: str, of: object = "") -> Iterator[None]:
    """Around one transaction: whatever it raises is logged, by its kind and place. Its words are not: they may quote a row."""
    try:
        yield
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("%s %s: %s in %s, line %s of %s", what, of, type(error).__name__, place.name, place.lineno, place.filename)
