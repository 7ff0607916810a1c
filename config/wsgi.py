"""What gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from dashboards.api.hot import HotAnswers  # noqa: E402 - Django has to stand first

application = HotAnswers(_django)

# What is loaded by now stays to the end: looking through it for garbage took 75 ms of each fourth large answer.
gc.collect()
gc.freeze()
