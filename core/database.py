"""The pool of connections to PostgreSQL."""

import threading
from typing import Any

_one_at_a_time = threading.Lock()


def keep_trying(pool: Any) -> None:
    """The pool has given up a connection that it lost: let it begin anew with one more.

    Left to itself it tries at ever longer intervals, so that a site would stay away about as long again as its database was.
    """
    with _one_at_a_time:
        pool.resize(pool.min_size - 1, pool.max_size)
        pool.resize(pool.min_size + 1, pool.max_size)
