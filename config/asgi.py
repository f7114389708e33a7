"""What uvicorn serves: pages and the API over HTTP, live updates over WebSocket, or by asking again and again."""

import gc
import os
from typing import Any

import django
from django.conf import settings
from django.urls import get_resolver, re_path

from core.serving import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
django.setup(set_prefix=False)  # first: it loads the apps that the imports below need
pages: Any = Handler()
# Every page's module, before the port is open: loaded by the first request it would hold up all sockets for seconds.
assert get_resolver().url_patterns

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from core import acting  # noqa: E402
from core.client import behind  # noqa: E402
from matching.snapshot.keeper import keeper  # noqa: E402
from notifications.poll import LivePoll  # noqa: E402
from notifications.routing import urlpatterns  # noqa: E402

polls: Any = AuthMiddlewareStack(LivePoll.as_asgi())
doors = ProtocolTypeRouter(
    {
        "http": URLRouter([re_path(r"^live/poll/$", polls), re_path(r"", pages)]),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(urlpatterns))),
    }
)
application = behind(settings.TRUSTED_PROXIES, acting.asgi(doors))
# What is loaded by now stays: the collector need not look through it while people wait.
gc.collect()
gc.freeze()
# One request makes thousands of objects and lets all of them go: to look for cycles after each 700 takes a twentieth of its time.
gc.set_threshold(20_000, 10, 10)
# This process serves people: it ranks in memory, as soon as the facts are there.
keeper.hold()
