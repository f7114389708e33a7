"""Who asks, when a system asks: its key opens the views that are for keys, and no others."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from capacity import keys
from capacity.models import SystemKey
from core import clock


class KeyAuthentication(TokenAuthentication):
    """A token of a person does what that person may. A key of a system may tell capacity: views say `for_keys = True`."""

    def authenticate(self, request: Any) -> Any:
        found = super().authenticate(request)
        if found is None or not isinstance(found[1], SystemKey):
            return found
        view = (request.parser_context or {}).get("view")
        if not getattr(view, "for_keys", False):
            raise PermissionDenied("This key may read and tell the figures of its own places, and nothing else.")
        return found

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Whether this token has ended; then it is deleted. Knox looks through all others of the user as well, at each request."""
        ended: bool = auth_token.expiry is not None and auth_token.expiry < clock.now()
        if ended:
            auth_token.delete()
        return ended

    def validate_user(self, auth_token: Any) -> Any:
        """Nobody signs in with a key's account, so it is not active in the table; for this one request it acts."""
        account = auth_token.user
        if account.is_active:
            return super().validate_user(auth_token)
        key = keys.used(account, clock.now())
        if key is None:
            raise AuthenticationFailed("This key has ended. Make a new one on Lune, under “Our places”, “Keys for your systems”.")
        account.is_active = True
        return account, key


class KeyScheme(KnoxTokenScheme):
    """The same in the API's document."""

    target_class = "capacity.api.keys.KeyAuthentication"
    priority = 1
