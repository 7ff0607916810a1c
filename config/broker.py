"""Where Celery's messages wait: in queues of our PostgreSQL (pgmq) by default, or Redis or RabbitMQ."""

import importlib.util
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import environment
from config.environment import Database

# A message comes back this long after it was taken unless the task has ended: longer than the longest task.
VISIBILITY_SECONDS = 120


@dataclass(frozen=True)
class Broker:
    """Celery's broker URL and what its transport is told."""

    url: str = field(repr=False)
    options: dict[str, Any] = field(repr=False)

    @property
    def in_database(self) -> bool:
        return self.url.startswith("pgmq://")


def broker(where: Database) -> Broker:
    """The broker that RATECARD_CELERY_BROKER_URL names, or queues in `where`."""
    seconds = environment.integer("TASK_SECONDS", default=VISIBILITY_SECONDS)
    schemes = ("redis", "rediss", "redis+socket", "amqp", "amqps", "pgmq")
    parts = environment.url("CELERY_BROKER_URL", "", schemes=schemes)
    if parts is None or parts.scheme == "pgmq":
        return Broker("pgmq://localhost", _pgmq(where, seconds))
    if parts.scheme.startswith("redis"):
        if importlib.util.find_spec("redis") is None:
            raise ImproperlyConfigured(
                "RATECARD_CELERY_BROKER_URL names Redis, but its client is missing: run `pip install redis`."
            )
        return Broker(environment.text("CELERY_BROKER_URL"), {"visibility_timeout": seconds})
    return Broker(environment.text("CELERY_BROKER_URL"), {})


def _pgmq(where: Database, seconds: int) -> dict[str, Any]:
    return {
        "conn_string": conn_string(where),
        # The schema comes from pgmq's own SQL, once (config.queues); the extension is not needed.
        "init_extension": False,
        "visibility_timeout": seconds,
        # LISTEN wakes an idle worker in about 15 ms; without it every look into the queue would poll.
        "use_notify": True,
        "wait_time_seconds": 0,
        "pool_size": 4,
        "pool_timeout": 10,
    }


def conn_string(where: Database) -> str:
    """The libpq string for kombu's pgmq transport, which cannot take a URL with `?host=/socket`.

    The client keeps only five values of it and joins them unquoted into the string it connects with, so each
    value carries its own quotes, and whatever else libpq should know (sslmode) rides behind the password.
    """
    known = {key: str(value) for key, value in conninfo_to_dict(where.conninfo()).items()}
    five = {key: _quoted(known.pop(key, default)) for key, default in _FIVE.items()}
    five["password"] += "".join(f" {key}={_quoted(value)}" for key, value in known.items())
    return make_conninfo("", **five)


_FIVE = {"host": "localhost", "port": "5432", "dbname": "ratecard", "user": "ratecard", "password": ""}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
