from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Carries the project's own commands (quickstart, database) and system checks."""

    name = "config"
