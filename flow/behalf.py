"""Who takes a step for a provider without signing in as it: its registered contact by a link, or a sender who rang and writes it down."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from catalogue.models import User
from flow.models.reply_contact import ReplyContact


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """Takes a provider's steps as `by` of the verbs does. `words` stand in the history; `account` is who wrote it down, if anybody."""

    organization_id: UUID
    words: str
    contact: ReplyContact | None = None
    account: User | None = None

    is_provider: ClassVar[bool] = True
    is_referrer: ClassVar[bool] = False


#: Whoever takes a step; None, where it is allowed, is Lune itself.
Actor = User | OnBehalf


def account_of(by: Actor | None) -> User | None:
    """The account to write beside what was done."""
    return by.account if isinstance(by, OnBehalf) else by
