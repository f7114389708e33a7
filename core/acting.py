"""On whose behalf this thread or task acts, and the connection to PostgreSQL kept in line with it.

Who may see a row is said first by `visible_to`. The second line is PostgreSQL's own: what a person asks for runs as the role
`lune_app`, which is not the owner of the tables, with settings that say who asks; row-level security (`core.row_security`) does the
rest. A request begins as nobody and becomes the user once they are known. What Lune does by itself, and the few things that reach
across organisations after they were allowed, act as the system.

How a connection stands is never remembered here: it is read from what the server reports. `application_name` is set in the same breath
as the role and reported back by the protocol itself whenever it changes, so that it is true after a rollback too, which undoes both.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.conf import settings
from psycopg import ClientCursor
from psycopg.pq import TransactionStatus

from core.errors import NotFound

#: The role of PostgreSQL as which everything runs that a person asks for.
ROLE = "lune_app"
_MARK = b"lune:"
_SET = (
    "SELECT set_config('role', %s, false), set_config('lune.role', %s, false), set_config('lune.user', %s, false), "
    "set_config('lune.organization', %s, false), set_config('application_name', %s, false)"
)

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody on whose behalf statements run. `reason` is why the system acts in place of a person."""

    user: str = ""
    organization: str = ""
    role: str = ""
    is_system: bool = False
    reason: str = ""
    mark: bytes = b""

    @classmethod
    def of(cls, user: Any) -> "Acting":
        """A user of the site, or nobody for somebody who is not signed in or may not."""
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return NOBODY
        told = (str(user.pk), str(user.organization_id or ""), str(user.role))
        return cls(*told, mark=_MARK + hashlib.blake2s("/".join(told).encode(), digest_size=16).hexdigest().encode())


SYSTEM = Acting(is_system=True, reason="Lune itself", mark=b"lune")
NOBODY = Acting(mark=_MARK + b"nobody")


class ForRequest:
    """Whoever a request turns out to be from: by its session, or by a token that a view reads later. Until then nobody."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._settled = False
        self._known: tuple[Any, Acting] = (None, NOBODY)

    def settle(self) -> None:
        """From now on the request's user counts. Whoever has a session is read at once: asked for in the middle of a statement, twice."""
        if settings.SESSION_COOKIE_NAME in self._request.COOKIES:
            _ = self._request.user.is_authenticated
        self._settled = True

    def __call__(self) -> Acting:
        if not self._settled:
            return NOBODY
        user = self._request.user
        if self._known[0] is not user:
            self._settled = False  # whatever is read to know who it is, nobody reads
            try:
                self._known = (user, Acting.of(user))
            finally:
                self._settled = True
        return self._known[1]


_whose: ContextVar[Acting | ForRequest] = ContextVar("lune_acting", default=SYSTEM)


def now() -> Acting:
    """On whose behalf the next statement runs."""
    whose = _whose.get()
    return whose if isinstance(whose, Acting) else whose()


@contextmanager
def on_behalf_of(whose: Acting | ForRequest) -> Iterator[None]:
    """Act for somebody within. For the doors of the site alone: requests, sockets, and tests."""
    before = _whose.get()
    _whose.set(whose)
    try:
        yield
    finally:
        _whose.set(before)


def for_user(user: Any) -> Any:
    """Act for a user of the site within; a user who is not signed in is nobody."""
    return on_behalf_of(Acting.of(user))


@contextmanager
def system(reason: str) -> Iterator[None]:
    """Act as Lune itself within, for what reaches across organisations once it was allowed. `reason` says in a few words what for.

    Only operations and questions of the domain do this, never a view or a serializer; a test keeps the list of all such places.
    """
    if not reason:
        raise ValueError("Say why this reaches across organisations.")
    with on_behalf_of(Acting(is_system=True, reason=reason, mark=SYSTEM.mark)):
        yield


def across(reason: str, *, seen: Callable[..., Any] | None = None) -> Callable[[Verb], Verb]:
    """`system` for a whole function. `seen`, called with the same arguments, is the record that it is about, as a query: it is asked
    beforehand on behalf of whoever calls, who is told NotFound when they do not see it.
    """

    def decorate(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def raised(*args: Any, **kwargs: Any) -> Any:
            if seen is not None and not now().is_system and not seen(*args, **kwargs).exists():
                raise NotFound("There is no such record, or it is not yours to see.")
            with system(reason):
                return verb(*args, **kwargs)

        return cast(Verb, raised)

    return decorate


def streamed(parts: Any) -> Iterator[Any]:
    """The parts of an answer that is made while it is sent, each on behalf of whoever acts now."""
    whose = _whose.get()
    iterator = iter(parts)
    while True:
        with on_behalf_of(whose):
            try:
                part = next(iterator)
            except StopIteration:
                return
        yield part


def asgi(application: Any) -> Any:
    """The application as it is served: every request and socket begins as nobody, and so does whatever it starts."""

    async def begin(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            _whose.set(NOBODY)  # each is a task of its own, with a context of its own
        await application(scope, receive, send)

    return begin


def watch(*, connection: Any, **told: Any) -> None:
    """A connection was opened: from now on each statement runs on behalf of whoever acts."""
    if connection.vendor == "postgresql" and keep_in_line not in connection.execute_wrappers:
        # First, not last: a wrapper that stands while the connection opens (that of the history) is taken away from the end.
        connection.execute_wrappers.insert(0, keep_in_line)


def keep_in_line(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement on behalf of whoever acts now. Costs a comparison, and one statement more where another acted before."""
    align(context["connection"])
    return execute(sql, params, many, context)


def align(connection: Any) -> None:
    """Bring a connection's role and settings in line, where they are not."""
    link = connection.connection.pgconn
    if link.transaction_status == TransactionStatus.INERROR:
        return  # nothing runs any more until it is rolled back, which brings back how it stood before
    wanted = now()
    stands: bytes = link.parameter_status(b"application_name") or b""
    if stands == wanted.mark or (wanted.is_system and not stands.startswith(_MARK)):
        return
    role = "none" if wanted.is_system else ROLE
    with connection.wrap_database_errors, ClientCursor(connection.connection) as cursor:
        cursor.execute(_SET, [role, wanted.role, wanted.user, wanted.organization, wanted.mark.decode()])
