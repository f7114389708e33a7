"""Addresses of sockets."""

from typing import Any

from django.urls import path, re_path

from notifications.consumers import LiveConsumer


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """Turn away a socket at any other address, without a stack trace in the log."""
    await receive()
    await send({"type": "websocket.close"})


nowhere_at_all: Any = nowhere  # django-stubs knows of views only
urlpatterns = [path("live/", LiveConsumer.as_asgi()), re_path(r"", nowhere_at_all)]
