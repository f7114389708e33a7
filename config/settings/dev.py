"""One developer's machine: `make run`."""

from .base import *  # noqa: F403
from .base import development_key, env

SECRET_KEY = env("LUNE_SECRET_KEY", default=development_key())
ALLOWED_HOSTS = env.list("LUNE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
DEMO = env.bool("LUNE_DEMO", default=True)
