"""The sample workspace over the bundled catalogue, as a fresh install has it, and the person who looks at it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

from dashboards import access
from dashboards.models import Person
from tests.conftest import Tables, put
from usage import sample


@pytest.fixture
def ada(transactional_db: None, bundled_tables: Tables) -> Person:
    """The administrator of the sample workspace; ask for her before `look`, whose loop keeps other connections."""
    with transaction.atomic():
        put(bundled_tables)
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_sql(no_style(), list(apps.get_app_config("pricing").get_models())):
                cursor.execute(sql)
    sample.load(force=True)
    person = Person.objects.create_user("ada@larkfield.example", is_instance_admin=True)
    access.join_orphan_organisations(person)
    return person
