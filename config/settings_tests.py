"""The settings of the tests: a server of their own, a database of this run's own, nothing slow."""

import hashlib
import os

# Its own folder and server, so a running Ratecard in this checkout is not touched.
os.environ.setdefault("RATECARD_DATABASE_URL", "embedded://.data/test")
os.environ.setdefault("RATECARD_SECRET_KEY", "tests-" * 10)

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR, CELERY_BROKER_TRANSPORT_OPTIONS, DATA_DIR, DATABASES, STORAGES

# Two runs in one checkout do not meet: each has its own database.
DATABASES["default"]["TEST"] = {"NAME": f"test_ratecard_{os.getpid()}"}
if DATA_DIR is not None:
    # Copied from one that has the tables: replaying the migrations would take as long as a hundred tests.
    tables = hashlib.sha256((BASE_DIR / "config" / "schema.sql").read_bytes()).hexdigest()[:12]
    DATABASES["default"]["TEST"]["TEMPLATE"] = f"test_tables_{tables}"
DATABASES["default"]["OPTIONS"].pop("pool")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
FETCH = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# A task that is sent runs at once, in the same process.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS.clear()
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
