"""`write_schema`: write config/schema.sql, the tables of a first start, anew from the migrations."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from config import schema


class Command(BaseCommand):
    help = "Write config/schema.sql anew: what the migrations come to on an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        usual = connection.settings_dict["NAME"]
        migrated = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            text = schema.dump(migrated)
        finally:
            connection.creation.destroy_test_db(usual, verbosity=0)
        schema.FILE.write_text(text)
        self.stdout.write(f"{schema.FILE}: {text.count('CREATE TABLE')} tables")
