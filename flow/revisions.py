"""What stands in a referral, as one mark: the edit of a list says on which it was made, so that it overwrites nothing unseen.

A referral has no row that counts its versions: services that answer, deadlines that pass and the sender all change what is under it. The
mark is made of what they change, and is another one as soon as any of it is.
"""

import hashlib
import json

from core.errors import Conflict
from flow.models import Referral


def mark(referral: Referral) -> str:
    """Sixteen hexadecimal digits. Reads `tasks` and `queue`, and says nothing of a person."""
    stands = [
        referral.urgency,
        referral.edits,
        str(referral.closed_at),
        sorted((str(task.pk), task.version) for task in referral.tasks.all()),
        sorted((entry.position, str(entry.pool_id), entry.state) for entry in referral.queue.all()),
    ]
    return hashlib.sha256(json.dumps(stands).encode()).hexdigest()[:16]


def require(referral: Referral, expected: str | None) -> None:
    """Raises Conflict (`stale-version`) when something has changed since `expected` was read. Call it with the referral locked."""
    if expected is not None and mark(referral) != expected:
        raise Conflict("This referral has changed since you looked. Read it again, then send the change.", code="stale-version")
