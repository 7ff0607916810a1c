from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Carries the project's own commands (quickstart, database)."""

    name = "config"

    def ready(self) -> None:
        # `shared_task` finds its broker through the current application, in every process that sends one.
        from config import celery  # noqa: F401
