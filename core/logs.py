"""What a log line may say: enough to find a fault, nothing about a person."""

import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any


def stack_without_words(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: write an exception as its type and where it was raised, and leave out its message.

    Messages quote data. PostgreSQL's repeat the whole row that broke a constraint, Python's the text that is not a number.
    """
    raised = line.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        line["exception"] = "".join(_told(error))
    return line


def _told(error: BaseException) -> Iterator[str]:
    """From the first cause to the last, each once."""
    chain: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in chain:
        chain.append(found)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    for link in reversed(chain):
        yield from traceback.format_tb(link.__traceback__)
        yield f"{type(link).__module__}.{type(link).__qualname__}\n"
