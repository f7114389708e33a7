"""The tests: real PostgreSQL, Redis and sockets, but nothing waits for a disk."""

from .base import *  # noqa: F403
from .base import BASE_DIR, DATABASES, development_key, env

SECRET_KEY = development_key()
AUDIT_KEY = development_key()
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
# No pool: each test connection must be closed before its database is dropped.
DATABASES["default"]["OPTIONS"] = {"options": f"{DATABASES['default']['OPTIONS']['options']} -c synchronous_commit=off"}
DATABASES["default"]["TEST"] = {"NAME": env("LUNE_TEST_DB", default="test_lune")}
# Processes that test side by side have each a database of their own (pytest-django) and must not hear one another on Redis.
LIVE_CHANNEL = f"lune-{DATABASES['default']['TEST']['NAME']}-{env('PYTEST_XDIST_WORKER', default='')}"
USAGE_PREFIX = f"usage-{LIVE_CHANNEL}"
IMPORTS_ROOT = str(BASE_DIR / "var" / "test-imports")
DOCUMENTS_ROOT = str(BASE_DIR / "var" / "test-documents")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SMS_GATEWAY = "core.sms.KeepingGateway"
SMS_SECRET = development_key()
REPLY_ADDRESS = "replies@lune.example"
MAIL_SECRET = development_key()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# A process for browsers knows its files from the beginning (tests/stack); one for tests looks only for those that it is asked for.
WHITENOISE_AUTOREFRESH = not env.bool("LUNE_STATIC_KNOWN", default=False)
WHITENOISE_MAX_AGE = 3600
# Browsers are served from the source folders: nothing is collected for a test.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = BASE_DIR / "var" / "static-test"
DEMO = True
# Each test has facts of its own; those about memory hold them themselves.
MATCH_IN_MEMORY = False
