"""The cache: Redis while it is there, this process's own memory while it is not. Losing Redis must cost no page."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


class RedisOrMemoryCache(RedisCache):
    """Limits on signing in go on counting while Redis is away, then for each process by itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.memory = LocMemCache("while Redis is away", {**params, "OPTIONS": {}})


def _surviving(name: str) -> Callable[..., Any]:
    def method(self: RedisOrMemoryCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(RedisCache, name)(self, *args, **kwargs)
        except RedisError:
            return getattr(self.memory, name)(*args, **kwargs)

    return method


for _name in ("add", "get", "set", "touch", "delete", "get_many", "has_key", "incr", "set_many", "delete_many", "clear"):
    setattr(RedisOrMemoryCache, _name, _surviving(_name))
