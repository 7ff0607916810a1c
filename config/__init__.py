"""Settings, the embedded PostgreSQL, the Celery application and the supervisor behind `make run`."""
