"""The Celery application: tasks live in each app's `tasks.py`, their timetable beside them as `SCHEDULE`."""

import importlib
import importlib.util
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

APPS = ["pricing", "usage", "dashboards"]

app = Celery("ratecard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(APPS)


@app.on_after_finalize.connect
def collect_schedule(sender: Celery, **_: object) -> None:
    """Beat's timetable is every app's `tasks.SCHEDULE` (Celery's `beat_schedule` format)."""
    for name in APPS:
        if importlib.util.find_spec(f"{name}.tasks"):
            module = importlib.import_module(f"{name}.tasks")
            sender.conf.beat_schedule.update(getattr(module, "SCHEDULE", {}))
