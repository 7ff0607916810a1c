"""A worker's application for the test that kills it: one task that says when it began and when it ended."""

import os
import time
from pathlib import Path

from celery import Celery

from config import environment
from config.broker import broker

_broker = broker(environment.database())
app = Celery("queue_test", broker=_broker.url)
app.conf.update(
    broker_transport_options=_broker.options,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_enable_remote_control=False,
)


@app.task(name="note")
def note(line: str, seconds: float) -> None:
    journal = Path(os.environ["JOURNAL"])
    with journal.open("a") as file:
        file.write(f"began {line}\n")
    time.sleep(seconds)
    with journal.open("a") as file:
        file.write(f"ended {line}\n")
