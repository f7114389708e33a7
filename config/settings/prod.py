"""A live site. Whatever must be set is read without a default, so that a missing value stops the start."""

import os

from .base import *  # noqa: F403
from .base import MAIL_PROVIDER, SILENCED_SYSTEM_CHECKS, env

SECRET_KEY = env("LUNE_SECRET_KEY")
AUDIT_KEY = env("LUNE_AUDIT_KEY")
ALLOWED_HOSTS = env.list("LUNE_ALLOWED_HOSTS")
SITE_URL = env("LUNE_SITE_URL", default=f"https://{ALLOWED_HOSTS[0].lstrip('.')}").rstrip("/")
# Such as smtp+tls://name:password@mail.example.org:587. Without it letters are written into var/mail, and nobody gets them.
if "LUNE_MAIL_URL" in os.environ:
    vars().update(env.email_url("LUNE_MAIL_URL"))
elif MAIL_PROVIDER:
    EMAIL_BACKEND = "core.mail.ProviderBackend"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith((".", "*"))]
SECURE_SSL_REDIRECT = env.bool("LUNE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# W021: the browsers' preload list holds a domain and all below it for years; the owner of the domain decides that, not Lune.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W021"]
