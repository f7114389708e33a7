"""What every page knows: the site's name, who is signed in, and where that role may go."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from catalogue.models import User
from flow.demo import logins
from notifications.notices import queries

#: The menu of each role: words and the name of the page.
NAVIGATION: dict[str, list[tuple[str, str]]] = {
    User.Role.REFERRER: [
        ("Home", "home"),
        ("People waiting", "worklist"),
        ("Plan", "plan"),
        ("Held places", "holds"),
        ("Hub", "hub"),
        ("Find a service", "find"),
        ("Directory", "directory"),
    ],
    User.Role.PROVIDER: [
        ("Home", "home"),
        ("Our places", "places"),
        ("Referrals to us", "inbox"),
        ("Register", "register"),
        ("People asking", "requests"),
        ("Our services", "entries"),
        ("Directory", "directory"),
    ],
    User.Role.MANAGER: [
        ("Home", "home"),
        ("Dashboard", "dashboard"),
        ("Plan", "plan"),
        ("What if", "what-if"),
        ("Unmet need", "unmet"),
        ("History", "history"),
        ("Directory", "directory"),
        ("Use", "usage"),
        ("Likely yes", "acceptance"),
        ("Sharing", "sharing"),
        ("Rules", "rules"),
        ("Letters", "letter-words"),
    ],
    User.Role.CURATOR: [
        ("Home", "home"),
        ("Directory", "directory"),
        ("Entries", "entries"),
        ("Proposals", "proposals"),
        ("People asking", "requests"),
        ("Records to check", "assurance-queue"),
        ("Not reached", "asking-failing"),
        ("Answers", "replies"),
        ("Words", "terms"),
        ("Doubles", "duplicates"),
        ("Imports", "imports"),
        ("Use", "usage"),
    ],
    User.Role.ADMINISTRATOR: [
        ("Home", "home"),
        ("Directory", "directory"),
        ("Sources", "sources"),
        ("Pathways", "pathways"),
        ("Likely yes", "acceptance"),
        ("Rules", "rules"),
        ("Users and settings", "admin:index"),
    ],
}
#: What anybody may open without signing in.
PUBLIC = [("Directory", "directory"), ("What is on", "diary"), ("How good it is", "quality"), ("Sign in", "account_login")]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu for whoever asks, with the present page marked."""
    user = getattr(request, "user", None)
    entries = NAVIGATION.get(user.role, []) if user is not None and user.is_authenticated else PUBLIC
    items = []
    for text, name in entries:
        href = reverse(name)
        here = request.path == href or (href != "/" and request.path.startswith(href))
        items.append({"text": text, "href": href, "current": here})
    return items


def demo_logins() -> list[logins.Login]:
    """The demonstration log-ins, for the sign-in page; none on a live site."""
    return logins.LOGINS if settings.DEMO else []


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor of the Jinja engine."""
    return {
        "site_name": settings.SITE_NAME,
        "site_owner": settings.SITE_OWNER,
        "demo": settings.DEMO,
        "demo_logins": demo_logins,
        "demo_password": logins.PASSWORD if settings.DEMO else "",
        "navigation": navigation(request),
        "unread_notices": lambda: queries.unread(request.user),
        "map_tiles": {"url": settings.MAP_TILE_URL, "attribution": settings.MAP_TILE_ATTRIBUTION},
    }
