"""Keys of providers' systems: made, used, taken back."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from knox.models import AuthToken

from capacity.models import SystemKey
from catalogue.models import User
from core.errors import Invalid, NotAllowed, NotFound

#: How long a key may be good, and how many an organisation may have at once.
MOST_DAYS, MOST_KEYS = 366, 20
#: “Last used” is true to this much: a system that tells a thousand figures writes it once.
_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def make(*, name: str, days: int, by: User, at: datetime) -> tuple[SystemKey, str]:
    """A new key for a system of `by`'s organisation, and its text, which is told this once. Raises Invalid or NotAllowed.

    A key outlasts whoever made it, so not everybody who tells figures makes one: those do whom the site's administrator has marked.
    """
    name = name.strip()
    require_keeper(by)
    assert by.organization is not None
    if not 1 <= len(name) <= 80:
        raise Invalid("Say which system the key is for, in 80 letters or fewer.")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A key is good for 1 to {MOST_DAYS} days. Make a new one before it ends.")
    if SystemKey.objects.filter(organization=by.organization, revoked_at__isnull=True, expires_at__gt=at).count() >= MOST_KEYS:
        raise Invalid(f"Your organisation has {MOST_KEYS} keys. Take back one that no system uses any more.")
    account = User(email=f"key-{uuid4()}@systems.invalid", first_name=name[:80], role=User.Role.PROVIDER, organization=by.organization)
    account.is_active = False
    account.set_unusable_password()
    account.save()
    _, text = AuthToken.objects.create(user=account, expiry=timedelta(days=days))
    key = SystemKey.objects.create(
        organization=by.organization, account=account, name=name, begins_with=text[:6],
        created_at=at, created_by=by, expires_at=at + timedelta(days=days),
    )  # fmt: skip
    return key, text


def may_make(user: User) -> bool:
    """Whether somebody makes the keys of the provider that they work for."""
    return user.is_provider and user.keeps_keys and user.organization_id is not None


def require_keeper(user: User) -> None:
    """Refuse whoever makes no keys. Raises NotAllowed."""
    if not may_make(user):
        raise NotAllowed("Keys are made by whoever keeps them in your organisation. The administrator of this site decides who that is.")


def keepers(user: User) -> list[str]:
    """Who makes the keys of the organisation of `user`, by name."""
    found = User.objects.filter(organization=user.organization_id, role=User.Role.PROVIDER, keeps_keys=True, is_active=True)
    return [str(each) for each in found.order_by("last_name", "first_name", "pk")]


@transaction.atomic
def revoke(*, key_id: UUID, by: User, at: datetime) -> SystemKey:
    """End a key at once: anybody of the organisation may, for a key that got out cannot wait. Ending it again changes nothing.

    Raises NotFound.
    """
    key = SystemKey.objects.select_for_update(of=("self",)).visible_to(by).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        AuthToken.objects.filter(user_id=key.account_id).delete()
    return key


def used(account: User, at: datetime) -> SystemKey | None:
    """The key of this account if it is one and works, noted as used now."""
    key = SystemKey.objects.filter(account=account).first()
    if key is None or not key.works(at):
        return None
    if key.last_used_at is None or at - key.last_used_at >= _NOTED_EVERY:
        long_ago = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - _NOTED_EVERY)
        SystemKey.objects.filter(long_ago, pk=key.pk).update(last_used_at=at)
    return key
