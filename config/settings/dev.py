"""One developer's machine: `make run`."""

from .base import *  # noqa: F403
from .base import BASE_DIR, development_key, env

SECRET_KEY = env("LUNE_SECRET_KEY", default=development_key())
AUDIT_KEY = env("LUNE_AUDIT_KEY", default=development_key())
ALLOWED_HOSTS = env.list("LUNE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
DEMO = env.bool("LUNE_DEMO", default=True)
SMS_GATEWAY = env("LUNE_SMS_GATEWAY", default="core.sms.KeepingGateway")
SMS_FILE_PATH = env("LUNE_SMS_FILE", default=str(BASE_DIR / "var" / "sms.jsonl"))
SMS_SECRET = env("LUNE_SMS_SECRET", default="development")
WEBHOOK_FILE_PATH = env("LUNE_WEBHOOK_FILE", default=str(BASE_DIR / "var" / "webhooks.jsonl"))
