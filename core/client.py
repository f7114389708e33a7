"""Where on the network a request comes from, told in one place to everything that counts requests.

A server behind a proxy is always called by the proxy; who called the proxy stands in `X-Forwarded-For`, which anybody may write.
So it is believed only from networks that the operator names, and read from its end: uvicorn's own code does that, around the whole
application. Afterwards `REMOTE_ADDR` is the client's own address, for our limits as for those of the framework and of the sign-in.
"""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

#: One household or one firm has all addresses of such a network, and could otherwise ask from each of them once.
_ONE_SUBSCRIBER = 64


def behind(proxies: Sequence[str], app: Any) -> Any:
    """The application as it is served behind these proxies: single addresses or networks. With none the header is never read."""
    for proxy in proxies:
        try:
            network = ip_network(proxy)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"LUNE_TRUSTED_PROXIES: “{proxy}” is neither an address nor a network, such as 10.0.0.0/8."
            ) from error
        if not network.prefixlen:
            raise ImproperlyConfigured(f"LUNE_TRUSTED_PROXIES: {proxy} is everybody, so that anybody could say to be anybody.")
    return ProxyHeadersMiddleware(app, list(proxies)) if proxies else app


def address_of(request: HttpRequest) -> str:
    """The address that a request is counted under: of version 6 the network of one subscriber."""
    told = request.META.get("REMOTE_ADDR") or ""
    try:
        address = ip_address(told)
    except ValueError:
        return told  # a socket of the same machine has none
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, _ONE_SUBSCRIBER), strict=False))
    return told
