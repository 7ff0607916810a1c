import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pgmq.base import PGMQConfig
from psycopg.conninfo import conninfo_to_dict

from config import embedded
from config.broker import broker, conn_string
from config.environment import Database
from tests.config.conftest import Start

INSTALL = "import django; django.setup(); from config import queues; print(queues.install(), queues.install())"
SEND = "from tests.config.queue_app import note; note.delay('slow', 2); note.delay('quick', 0)"
WORKER = ("-m", "celery", "--quiet", "-A", "tests.config.queue_app", "worker", "-c", "1", "--without-mingle")


@pytest.mark.parametrize(
    "where",
    [
        Database(host="/a folder/it's/run", port="5432"),
        Database(host="db.example", password="p'w \\ d", options={"sslmode": "require", "connect_timeout": "7"}),
    ],
)
def test_the_queue_connects_to_the_very_same_database(where: Database) -> None:
    client = PGMQConfig(conn_string=conn_string(where))
    reached = conninfo_to_dict(client.dsn)
    wanted = {"port": "5432", **conninfo_to_dict(where.conninfo())}
    assert {key: value for key, value in reached.items() if value} == wanted


def test_without_a_broker_url_the_queue_is_in_the_database_itself(tmp_path: Path) -> None:
    socket_folder = str(embedded.socket_folder(tmp_path))
    chosen = broker(Database(folder=tmp_path, host=socket_folder, port="5432"))
    assert chosen.url.startswith("pgmq://")
    assert conninfo_to_dict(chosen.options["conn_string"])["host"] == f"'{socket_folder}'"


@pytest.mark.parametrize("url", ["redis://cache.example:6379/0", "amqp://me:pw@mq.example//"])
def test_another_broker_is_taken_as_it_is(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_CELERY_BROKER_URL", url)
    assert broker(Database()).url == url


def test_an_unknown_broker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_CELERY_BROKER_URL", "kafka://x")
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_CELERY_BROKER_URL must start with redis://"):
        broker(Database())


@pytest.mark.slow
def test_a_task_in_the_hands_of_a_killed_worker_is_done_by_the_next(folder: Path, start: Start) -> None:
    embedded.start(folder)
    journal = folder / "journal"
    settings = {"JOURNAL": str(journal), "RATECARD_TASK_SECONDS": "4"}
    assert start("-c", INSTALL).communicate(timeout=60)[0].strip() == "True False"
    first = start(*WORKER, **settings)
    start("-c", SEND, **settings)
    wait_for(journal, "began slow")
    os.killpg(first.pid, signal.SIGKILL)
    start(*WORKER, **settings)
    wait_for(journal, "ended slow")
    wait_for(journal, "ended quick")
    assert journal.read_text().splitlines().count("began slow") == 2


def wait_for(journal: Path, line: str) -> None:
    for _ in range(600):
        if journal.exists() and line in journal.read_text().splitlines():
            return
        time.sleep(0.1)
    pytest.fail(f"the journal never said {line!r}")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server was found")
def test_tasks_go_through_redis_where_it_is_named(folder: Path, start: Start) -> None:
    folder.mkdir()
    journal, door = folder / "journal", folder / "redis.sock"
    settings = {"JOURNAL": str(journal), "RATECARD_CELERY_BROKER_URL": f"redis+socket://{door}"}
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", door, "--save", ""], cwd=folder)
    try:
        start(*WORKER, **settings)
        start("-c", SEND, **settings)
        wait_for(journal, "ended quick")
    finally:
        server.kill()
        server.wait()
