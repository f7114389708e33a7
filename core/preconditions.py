"""Edits that name the version they were made on: `ETag` out, `If-Match` in. Nobody overwrites what they have not seen."""

import re

from rest_framework.request import Request

from core.errors import LuneError

_VERSION = re.compile(r'^"v(\d{1,18})"$')
_MARK = re.compile(r'^"m([0-9a-f]{16})"$')


class PreconditionRequired(LuneError):
    """The edit does not say which version it was made on."""

    code = "version-needed"
    http_status = 428


class PreconditionFailed(LuneError):
    """The record has changed since."""

    code = "stale-version"
    http_status = 412


def etag(version: int) -> str:
    return f'"v{version}"'


def etag_of_mark(mark: str) -> str:
    """For what has no number that is counted up: sixteen hexadecimal digits that are others as soon as anything of it is."""
    return f'"m{mark}"'


def expected_version(request: Request) -> int:
    """The version in `If-Match`. Raises PreconditionRequired without one, PreconditionFailed for one that was never given out."""
    return int(_sent(request, _VERSION))


def expected_mark(request: Request) -> str:
    """As `expected_version`, of what `etag_of_mark` was given out for."""
    return _sent(request, _MARK)


def _sent(request: Request, form: re.Pattern[str]) -> str:
    sent = request.headers.get("If-Match", "").strip()
    if not sent:
        raise PreconditionRequired("Read the record first, then send its ETag in If-Match, so that no other change is lost.")
    found = form.match(sent)
    if found is None:
        raise PreconditionFailed("If-Match is not an ETag of this record. Read it again, then send the change.")
    return found[1]
