"""Functions compiled for the processor when they are first called (numba), in two kinds."""

from collections.abc import Callable
from typing import Any

from numba import njit

#: Without counting who holds an array. A counted one costs two locked additions each time it is handed on, which took most of the time of
#: what looks at a row or an edge; but who does not count can make no array.
_UNCOUNTED: dict[str, Any] = {"_nrt": False}


def compiled(function: Callable[..., Any]) -> Any:
    """For what makes arrays. Kept on disk where something can be written."""
    return _kept(function, {})


def bare(function: Callable[..., Any]) -> Any:
    """For what only reads and writes the arrays that it is given. Kept on disk where something can be written."""
    return _kept(function, _UNCOUNTED)


def inlined(function: Callable[..., Any]) -> Any:
    """The same as `bare`, written out wherever it is called."""
    return njit(inline="always", **_UNCOUNTED)(function)


def _kept(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)
