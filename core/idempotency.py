"""A POST that may be sent again safely: the same key and body get the first answer, and nothing is done twice."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from psycopg.types.json import Jsonb
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api import user_of
from core.errors import Invalid
from core.models import IdempotencyKey

HEADER = "Idempotency-Key"
#: How long the same request gets the same answer.
KEEP = timedelta(days=7)
_CLAIM = """
INSERT INTO core_idempotencykey (user_id, key, fingerprint, status, body, at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (user_id, key) DO NOTHING RETURNING id
"""


@transaction.atomic
def once(request: Request, act: Callable[[], tuple[Any, int]]) -> Response:
    """Run `act` (which returns data and status) once for this user, key and body, and answer the same ever after.

    The key is kept in the transaction of the act: a refusal keeps nothing, so the request may be corrected or tried again. A second request
    that comes while the first runs waits for it. The answer is stored: it must hold ids and codes, nothing about a person.

    Raises Invalid: `idempotency-key-needed`; `idempotency-key-reused` when the key came with another body.
    """
    key, fingerprint = _key_of(request), _fingerprint(request)
    claimed = _claim(request, key, fingerprint)
    if claimed is None:
        return _again(IdempotencyKey.objects.get(user_id=user_of(request).pk, key=key), fingerprint)
    data, status = act()
    body = json.loads(JSONRenderer().render(data))
    IdempotencyKey.objects.filter(pk=claimed).update(status=status, body=body)
    return Response(body, status=status)


def once_by_parts(request: Request, act: Callable[[str], tuple[Any, int]]) -> Response:
    """As `once`, for an act whose parts are kept in several transactions, so that nobody else waits for all of them.

    `act` is given a text that is the same whenever this request comes: it makes of it a key for each part, by which a part that was done
    is not done again. So a request that broke off half-way may be sent again, and two that come together do each part once.
    """
    key, fingerprint = _key_of(request), _fingerprint(request)
    mine = IdempotencyKey.objects.filter(user_id=user_of(request).pk, key=key)
    if kept := mine.first():
        return _again(kept, fingerprint)
    data, status = act(f"{user_of(request).pk} {key} {fingerprint}")
    body = json.loads(JSONRenderer().render(data))
    if _claim(request, key, fingerprint, status, body) is None:
        return _again(mine.get(), fingerprint)
    return Response(body, status=status)


def _claim(request: Request, key: str, fingerprint: str, status: int | None = None, body: Any = None) -> int | None:
    """Keep a key, with its answer when there is one. None when it is kept already; waits for whoever is keeping it now.

    One statement where the ORM takes four: every POST does this.
    """
    values: list[Any] = [user_of(request).pk, key, fingerprint, status, None if body is None else Jsonb(body), clock.now()]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        found = cursor.fetchone()
    return int(found[0]) if found else None


def _key_of(request: Request) -> str:
    key = request.headers.get(HEADER, "").strip()
    if not 1 <= len(key) <= 120:
        raise Invalid(f"Send a new {HEADER} of up to 120 characters with each request, and the same one when you repeat it.",
                      code="idempotency-key-needed")  # fmt: skip
    return key


def _fingerprint(request: Request) -> str:
    said = json.dumps([request.method, request.path, request.data], sort_keys=True, default=_told)
    return hashlib.sha256(said.encode()).hexdigest()


def _told(value: Any) -> str:
    """What JSON does not know, as text; a file as what is in it."""
    if not isinstance(value, File):
        return str(value)
    content = hashlib.sha256()
    for block in value.chunks():
        content.update(block)
    value.seek(0)
    return content.hexdigest()


def _again(kept: IdempotencyKey, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise Invalid(f"This {HEADER} was used for another request. Send a new one.", code="idempotency-key-reused")
    return Response(kept.body, status=kept.status, headers={"Idempotency-Replayed": "true"})


def forget(*, at: datetime) -> int:
    """Delete the answers older than `KEEP`. Returns how many."""
    return IdempotencyKey.objects.filter(at__lt=at - KEEP).delete()[0]
