"""Settings common to every environment. What differs by site comes from the environment (django-environ)."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import environ
import pgtrigger
import structlog

from core.database import keep_trying
from core.logs import stack_without_words
from matching.travel.pace import pace

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()


def state_dir() -> Path:
    """Where the project's private PostgreSQL and Redis keep sockets and data; `config/services.py` writes the pointer."""
    pointer = BASE_DIR / "var" / "state-dir"
    return Path(pointer.read_text().strip()) if pointer.exists() else BASE_DIR / "var"


RUN_DIR = state_dir() / "run"

DEBUG = False
SECRET_KEY = env("LUNE_SECRET_KEY", default="")
#: By which the read audit is sealed (`core.sealing`). It stays the same for good: with another one the old seals cannot be checked.
AUDIT_KEY = env("LUNE_AUDIT_KEY", default="")
ALLOWED_HOSTS = env.list("LUNE_ALLOWED_HOSTS", default=[])
SITE_NAME = env("LUNE_SITE_NAME", default="Lune")
#: The lettering of an NHS body is shown only where a deployment is entitled to it and says so.
SITE_OWNER = env("LUNE_SITE_OWNER", default="")
#: Where the site is found: the beginning of every link in a letter.
SITE_URL = env("LUNE_SITE_URL", default="http://localhost:8000").rstrip("/")
#: Folder with the words of letters in other languages, or instead of ours (docs/worklist.md).
LETTERS = env("LUNE_LETTERS", default="")
#: From which the keys are worked out that record systems sign with (docs/launch.md); the site's own key when empty.
LAUNCH_KEY = env("LUNE_LAUNCH_KEY", default="")
#: Addresses or networks of the proxies before this server (10.0.0.0/8,127.0.0.1): who called them is believed from nobody else.
TRUSTED_PROXIES = env.list("LUNE_TRUSTED_PROXIES", default=[])
#: An operator may name a tile server; by default the map is drawn from loaded outlines and needs no network.
MAP_TILE_URL = env("LUNE_MAP_TILE_URL", default="")
MAP_TILE_ATTRIBUTION = env("LUNE_MAP_TILE_ATTRIBUTION", default="")
DEMO = env.bool("LUNE_DEMO", default=False)

INSTALLED_APPS = [
    "core",
    "catalogue",
    "capacity",
    "matching",
    "flow",
    "notifications",
    "frontend",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "rules",
    "csp",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "channels",
    "django.contrib.gis",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "catalogue.api.oruk.middleware.OpenMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "frontend.middleware.ActingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "frontend.middleware.LogMiddleware",
    "frontend.middleware.HeadersMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "frontend.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = None

TEMPLATES_COMPILED = BASE_DIR / "var" / "templates"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "frontend" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "frontend.environment.environment",
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "frontend.context.site",
            ],
        },
    },
    {
        # Django's own templates: the admin site and allauth's e-mails.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.db("DATABASE_URL", default="postgis:///lune"),
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        # jit: nearly all of the time of a short geographic query went into compiling it (docs/decisions/0004).
        # plan_cache_mode: the ranking statement, the only one that is prepared, takes longer to plan than to run.
        # pgtrigger.ignore: triggers ask for it; where it is not set at all they catch an exception, which costs more than the row.
        "OPTIONS": {
            # After an outage a lost connection would be tried for at ever longer intervals; so it is tried for each second.
            "pool": {"min_size": 2, "max_size": 12, "timeout": 20, "reconnect_timeout": 2, "reconnect_failed": keep_trying},
            "options": "-c jit=off -c plan_cache_mode=force_generic_plan -c pgtrigger.ignore={}",
        },
    }
}
#: Threads of a web process that answer requests (core/serving.py): fewer than it has connections, of which live pages need some.
REQUEST_THREADS = env.int("LUNE_REQUEST_THREADS", default=8)
if "DATABASE_URL" not in os.environ:
    DATABASES["default"] |= {"NAME": env("LUNE_DB", default="lune"), "USER": "lune", "HOST": str(RUN_DIR)}

REDIS_URL = env("REDIS_URL", default=f"unix://{RUN_DIR}/redis.sock")
#: On which the relay tells the hub of each web process (docs/decisions/0005): an own one for each database.
LIVE_CHANNEL = f"lune.events:{DATABASES['default']['NAME']}"
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "core.cache.RedisOrMemoryCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

#: Whether the use of the public directory is counted (docs/usage.md), and where in Redis what is counted waits for a minute.
USAGE_COUNTED = env.bool("LUNE_COUNT_USAGE", default=True)
USAGE_PREFIX = f"usage:{DATABASES['default']['NAME']}"

#: Whether a web process holds the facts of all places in memory and ranks there (docs/decisions/0012): about 250 bytes a place.
MATCH_IN_MEMORY = env.bool("LUNE_MATCH_IN_MEMORY", default=True)

# How long ways take where no road is known (docs/travel.md): detour, kilometres an hour, and minutes at the start (to the car, to the stop
# and waiting). All of them are assumptions, which the operator sets by what is so in the area.
TRAVEL_PACES = (
    pace("LUNE_TRAVEL_ON_FOOT", env.str("LUNE_TRAVEL_ON_FOOT", default="1.3,4,0")),
    pace("LUNE_TRAVEL_BY_CAR", env.str("LUNE_TRAVEL_BY_CAR", default="1.4,35,5")),
    pace("LUNE_TRAVEL_BY_PUBLIC_TRANSPORT", env.str("LUNE_TRAVEL_BY_PUBLIC_TRANSPORT", default="1.5,16,15")),
)

#: A route planner that the operator runs: valhalla, osrm or pgrouting, and where; empty: none. The schema is that of osm2pgrouting.
ROUTER = env("LUNE_ROUTER", default="")
ROUTER_URL = env("LUNE_ROUTER_URL", default="")
ROUTER_SCHEMA = env("LUNE_ROUTER_SCHEMA", default="public")
#: Seconds that a search waits for it, and days for which its answers are kept.
ROUTER_TIMEOUT = env.float("LUNE_ROUTER_TIMEOUT", default=1.0)
ROUTER_KEEP_DAYS = env.int("LUNE_ROUTER_KEEP_DAYS", default=7)

# History is written once for each statement, not once for each row: an import brings hundreds of rows with one.
PGHISTORY_LEVEL = pgtrigger.Statement

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "catalogue.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "frontend.account.AccountAdapter"  # nobody signs up by themselves
# A hospital comes through one address: many sign in at once there at eight in the morning. Guesses are counted by account and address.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "30/m/ip,5/5m/key"}
ACCOUNT_SESSION_REMEMBER = False
CSRF_FAILURE_VIEW = "frontend.views.errors.csrf_failure"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# Sessions live in PostgreSQL: losing Redis signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "frontend" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = BASE_DIR / "var" / "media"
# Uploaded files of sources, until a worker has read them: web and worker must both see this folder.
IMPORTS_ROOT = env("LUNE_IMPORTS_ROOT", default=str(BASE_DIR / "var" / "imports"))
# Documents about people (docs/casework.md): web and worker must both see this folder, and no web server may be pointed at it.
DOCUMENTS_ROOT = env("LUNE_DOCUMENTS_ROOT", default=str(BASE_DIR / "var" / "documents"))

from csp.constants import NONCE, NONE, SELF  # noqa: E402

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *([MAP_TILE_URL.split("{")[0]] if MAP_TILE_URL else [])],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "capacity.api.keys.KeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.body.Body", "rest_framework.parsers.FormParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "core.api.Page",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.handle_exception",
    "NUM_PROXIES": 0,  # `core.client` has dealt with them: the header is not read again
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Urgencies whose deadlines count only Monday to Friday from 9 to 17, without bank holidays: "routine,urgent". Of others by the clock.
DEADLINES_IN_WORKING_TIME = env.list("LUNE_DEADLINES_IN_WORKING_TIME", default=[])

#: How often one address of the network may ask the open catalogue, and how often it may stream all of it.
OPEN_DATA_RATE = env("LUNE_OPEN_DATA_RATE", default="600/min")
OPEN_DATA_EXPORT_RATE = env("LUNE_OPEN_DATA_EXPORT_RATE", default="20/min")
SPECTACULAR_SETTINGS = {
    "TITLE": "Lune API",
    "DESCRIPTION": "Live service catalogue, capacity, matching and referral for health and social care.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Several things have a status: each list of codes has a name of its own in the document.
    "ENUM_NAME_OVERRIDES": {
        "CapacityStatusEnum": "capacity.models.CapacityStatus",
        "EpisodeKindEnum": "flow.models.Episode.Kind",
        "MessageKindEnum": "flow.models.Message.Kind",
        "OrganizationKindEnum": "catalogue.models.Organization.Kind",
        "ServiceStatusEnum": "catalogue.models.Service.Status",
        "TaskStatusEnum": "flow.workflow.Status",
    },
}

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = BASE_DIR / "var" / "mail"
#: When letters to owners go out, by the clock of England: the hour from which, and the days; never on a bank holiday.
LETTER_HOUR = env.int("LUNE_LETTER_HOUR", default=8)
LETTER_DAYS = env.list("LUNE_LETTER_DAYS", default=["MO", "TU", "WE", "TH", "FR"])
DEFAULT_FROM_EMAIL = env("LUNE_MAIL_FROM", default=f"{SITE_NAME} <directory@localhost>")
#: A provider of mail by its own HTTP interface (`core.mail`): its name as django-anymail has it, what it needs, and how it signs in here.
MAIL_PROVIDER = env("LUNE_MAIL_PROVIDER", default="")
ANYMAIL = {
    **env.json("LUNE_MAIL_PROVIDER_SETTINGS", default={}),
    "WEBHOOK_SECRET": env("LUNE_MAIL_RECEIPT_SECRET", default=""),
    # Links stay as they are written, and nobody is watched reading; a provider that cannot say so does neither.
    "SEND_DEFAULTS": {"track_clicks": False, "track_opens": False},
    "IGNORE_UNSUPPORTED_FEATURES": True,
}
#: Who carries text messages: `core.sms.HttpGateway` with what follows, or a class of one's own; empty: e-mail alone.
SMS_GATEWAY = env("LUNE_SMS_GATEWAY", default="")
SMS_URL = env("LUNE_SMS_URL", default="")
SMS_TOKEN = env("LUNE_SMS_TOKEN", default="")
SMS_SENDER = env("LUNE_SMS_SENDER", default="")
#: By which the gateway signs what it tells us.
SMS_SECRET = env("LUNE_SMS_SECRET", default="")
#: Answers by e-mail go to this address with a token after its name (replies@lune.example: replies+…@); empty: none are taken.
REPLY_ADDRESS = env("LUNE_REPLY_ADDRESS", default="")
#: By which a mail gateway signs what it hands on over HTTP; a mail server of one's own pipes into `manage.py take_reply`.
MAIL_SECRET = env("LUNE_MAIL_SECRET", default="")
#: Where the gateway of a machine of one's own (`core.sms.KeepingGateway`) writes what it was given.
SMS_FILE_PATH = env("LUNE_SMS_FILE", default="")

#: GOV.UK Notify (`core.notify.NotifyGateway`): its key, the template that is nothing but ((message)), and where it is.
NOTIFY_KEY = env("LUNE_NOTIFY_KEY", default="")
NOTIFY_TEMPLATE = env("LUNE_NOTIFY_TEMPLATE", default="")
NOTIFY_URL = env("LUNE_NOTIFY_URL", default="https://api.notifications.service.gov.uk")

#: Days for which what people were told, and what became of each message, is kept.
NOTICE_KEEP_DAYS = env.int("LUNE_NOTICE_KEEP_DAYS", default=90)
#: Whether organisations' webhooks may lead into a private network, and without TLS: only where all receivers are inside.
WEBHOOK_PRIVATE = env.bool("LUNE_WEBHOOK_PRIVATE", default=False)
#: Where a demonstration keeps calls to addresses of examples (https://records.example/).
WEBHOOK_FILE_PATH = env("LUNE_WEBHOOK_FILE", default="")

#: Requests for help that the public sends by a form: days for which one that is begun, and one that no service takes on, are kept.
SELF_REFERRAL_DRAFT_DAYS = env.int("LUNE_SELF_REFERRAL_DRAFT_DAYS", default=7)
SELF_REFERRAL_KEEP_DAYS = env.int("LUNE_SELF_REFERRAL_KEEP_DAYS", default=60)

#: The virus scanner for documents: clamd by "tcp://127.0.0.1:3310" or "unix:///run/clamav/clamd.ctl"; empty: none, which pages say.
SCANNER = env("LUNE_SCANNER", default="")
#: Megabytes of one document, and days for which the file of one that was withdrawn or locked away is kept.
DOCUMENT_MEGABYTES = env.int("LUNE_DOCUMENT_MEGABYTES", default=10)
DOCUMENT_KEEP_DAYS = env.int("LUNE_DOCUMENT_KEEP_DAYS", default=30)
#: Days after a yes on which the sender is to ask the person how it goes; 0: nobody is reminded.
FOLLOW_UP_DAYS = env.int("LUNE_FOLLOW_UP_DAYS", default=7)

#: A plan in force is looked at again after changes, at most every so many seconds (0: never), for so many hours after it was drawn up.
PLAN_LOOK_SECONDS = env.int("LUNE_PLAN_LOOK_SECONDS", default=120)
PLAN_LOOK_HOURS = env.int("LUNE_PLAN_LOOK_HOURS", default=12)
#: How many per cent of the people of a plan who could be placed one provider gets at most; 0: no ceiling.
PLAN_LARGEST_SHARE = env.int("LUNE_PLAN_LARGEST_SHARE", default=0)
#: Days for which a plan that was replaced is kept whole. What was decided of its lines stays.
PLAN_KEEP_DAYS = env.int("LUNE_PLAN_KEEP_DAYS", default=90)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event", "logger"]),
            # The same fields for lines that libraries write through the standard logger.
            "foreign_pre_chain": [
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                stack_without_words,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": env("LUNE_LOG_LEVEL", default="INFO")},
    "loggers": {
        "uvicorn.access": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        # It quotes what the gateway says, which may hold a number.
        "notifications_python_client": {"level": "CRITICAL"},
        # A refused request is told with its address here, which may hold anything; LogMiddleware writes its own line.
        "django.request": {"level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        stack_without_words,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def development_key() -> str:
    """A key that is stable for one checkout and worth nothing anywhere else."""
    return hashlib.sha256(f"lune development key of {BASE_DIR}".encode()).hexdigest()


# Debian 12 ships GDAL 3.6. The warning is about spatial references from strangers: importers read only coordinates and
# the two references of core.geo, never one that a file names.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]
