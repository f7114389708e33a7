"""Edits that name the version they were made on: `ETag` out, `If-Match` in. Nobody overwrites what they have not seen."""

import re

from rest_framework.request import Request

from core.errors import LuneError

_VERSION = re.compile(r'^"v(\d{1,18})"$')


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


def expected_version(request: Request) -> int:
    """The version in `If-Match`. Raises PreconditionRequired without one, PreconditionFailed for one that was never given out."""
    sent = request.headers.get("If-Match", "").strip()
    if not sent:
        raise PreconditionRequired("Read the record first, then send its ETag in If-Match, so that no other change is lost.")
    found = _VERSION.match(sent)
    if found is None:
        raise PreconditionFailed("If-Match is not an ETag of this record. Read it again, then send the change.")
    return int(found[1])
