"""Django settings; everything an operator may change comes from RATECARD_* in the environment."""

import importlib.util
from pathlib import Path
from typing import Any

from config import environment
from config.broker import broker
from config.logs import worth_a_line

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False

DATABASE = environment.database()
DATA_DIR = DATABASE.folder
SECRET_KEY = environment.secret_key(DATABASE)
PUBLIC_CATALOG = environment.boolean("PUBLIC_CATALOG", default=True)
# Requests a minute of one token or address, in each process; 0 = no limit.
RATE_LIMIT = environment.integer("RATE_LIMIT", default=6000, least=0)
PRIVATE_HOSTS = environment.names("PRIVATE_HOSTS")
HTTPS_PROXY = environment.text("HTTPS_PROXY")
environment.url("HTTPS_PROXY", "", schemes=("http", "https"))
# Whether price sources are fetched on their own timetable; `fetch_prices` fetches when a person says so.
FETCH = environment.boolean("FETCH", default=True)
MAX_UPLOAD = environment.size("MAX_UPLOAD", default=200 << 20)
# A body that is read whole (JSON, OTLP); files are streamed and capped by MAX_UPLOAD.
DATA_UPLOAD_MAX_MEMORY_SIZE = min(MAX_UPLOAD, 32 << 20)
FILE_UPLOAD_PERMISSIONS = 0o600

_base = environment.url("BASE_URL", "http://127.0.0.1:8000", schemes=("http", "https"))
assert _base is not None  # noqa: S101 — there is a default
BASE_URL = _base.geturl().rstrip("/")
_https = _base.scheme == "https"
ALLOWED_HOSTS = [
    *(environment.names("ALLOWED_HOSTS") or ("localhost", "127.0.0.1", "[::1]")),
    _base.hostname or "localhost",
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "django_celery_beat",
    "config",
    "pricing",
    "usage",
    "dashboards",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentPolicyMiddleware",
    "config.middleware.NulMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.WhereaboutsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
_context_processors = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
if importlib.util.find_spec("dashboards.context"):
    _context_processors.append("dashboards.context.page")
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _context_processors},
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE.name,
        "USER": DATABASE.user,
        "PASSWORD": DATABASE.password,
        "HOST": DATABASE.host,
        "PORT": DATABASE.port,
        # A connection is tried before it is handed out, so a restarted PostgreSQL costs no failed page.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**DATABASE.options, "pool": {"min_size": 1, "max_size": 8, "timeout": 15}},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "dashboards.Person"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH: list[str] = []

STATIC_URL = "/static/"
STATIC_ROOT = (DATA_DIR or BASE_DIR) / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False
CSRF_TRUSTED_ORIGINS = [BASE_URL] if _https else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_PROXY_SSL_HEADER = None
if _https:
    # RATECARD_BASE_URL says https only where a proxy that ends TLS stands in front and sets this header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

globals().update(environment.mail())
# Whether messages reach people: without a server of its own they would end in the log.
SENDS_MAIL = bool(environment.text("EMAIL_URL"))

_broker = broker(DATABASE)
CELERY_BROKER_URL = _broker.url
CELERY_BROKER_TRANSPORT_OPTIONS = _broker.options
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Two processes x 2 = 4 messages in hand: with one, every message costs a trip to the queue (10x slower).
CELERY_WORKER_CONCURRENCY = environment.integer("WORKER_PROCESSES", default=2)
CELERY_WORKER_PREFETCH_MULTIPLIER = 2
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Remote control keeps a queue of its own per worker: in PostgreSQL, tables made and dropped each time.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not _broker.in_database
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"worth": {"()": "django.utils.log.CallbackFilter", "callback": worth_a_line}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["worth"]}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "WARNING").upper()},
    "loggers": {"django": {"handlers": [], "level": "WARNING", "propagate": True}},
}
