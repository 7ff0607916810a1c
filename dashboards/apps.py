from typing import Any

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "dashboards"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from dashboards.access import sessions
        from dashboards.models import Person

        # Whoever starts a session, Django announces it here and nowhere else.
        def note(sender: Any, request: Any, user: Any, **more: Any) -> None:
            if isinstance(user, Person) and hasattr(request, "session"):
                sessions.begin(request, user)

        user_logged_in.connect(note, dispatch_uid="dashboards.sessions", weak=False)
