"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from dashboards.api.hot import HotAnswers  # noqa: E402 - Django has to stand first

application = HotAnswers(_django)
