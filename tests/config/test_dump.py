"""A dump restored somewhere else is the same instance: every row, every promise, every answer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from config import dumps
from tests.config.conftest import Start

ROWS_OF_ALL_TABLES = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relpersistence = 'p' ORDER BY 1")
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {table} t")
        print(table, *cursor.fetchone())
"""


def said(start: Start, *arguments: str, **environment: str) -> str:
    process = start(*arguments, **environment)
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    return output


@pytest.mark.slow
def test_a_restored_dump_holds_every_row_and_every_promise(folder: Path, start: Start) -> None:
    transcript, dump = folder.parent / "session.jsonl", folder.parent / "all.dump"
    usage = {"input_tokens": 10, "output_tokens": 5}
    with transcript.open("w") as file:
        for number in range(300):
            message = {"id": f"m{number}", "role": "assistant", "model": "claude-opus-4-8", "usage": usage}
            line = {"type": "assistant", "timestamp": f"2026-10-{1 + number % 28:02}T10:00:00Z", "cwd": "/s"}
            file.write(json.dumps(line | {"message": message}) + "\n")
    said(start, "manage.py", "quickstart", "--no-serve", "--no-sample")
    said(start, "manage.py", "import_usage", "claude_code", str(transcript), "--scope", "laptop")
    said(start, "manage.py", "close_period", "2026-10")
    said(start, "manage.py", "database", "dump", str(dump))
    elsewhere = {"RATECARD_DATABASE_URL": f"embedded://{folder}-restored"}
    said(start, "manage.py", "database", "restore", str(dump), **elsewhere)
    assert "Everything holds" in said(start, "manage.py", "verify", **elsewhere)
    spend = ("manage.py", "spend", "--json", "--group-by", "model,day")
    assert said(start, *spend) == said(start, *spend, **elsewhere)
    rows = ("manage.py", "shell", "-c", ROWS_OF_ALL_TABLES)
    here = said(start, *rows)
    assert here == said(start, *rows, **elsewhere)
    assert "usage_usagerecord_y2026m10 300 " in here


@pytest.mark.slow
def test_a_restore_leaves_the_database_of_the_dump_or_as_it_was(folder: Path, start: Start) -> None:
    """Over a database of a later release, whose tables nobody knew when the dump was written; and from what is none."""
    dump, later = folder.parent / "all.dump", folder.parent / "later.dump"
    rows = ("manage.py", "shell", "-c", ROWS_OF_ALL_TABLES)
    said(start, "manage.py", "quickstart", "--no-serve", "--no-sample", "--no-sources")
    said(start, "manage.py", "database", "dump", str(dump))
    before = said(start, *rows)

    said(start, "manage.py", "shell", "-c", """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE usage_later (id int PRIMARY KEY, owner_id bigint REFERENCES usage_organisation)")
    cursor.execute("CREATE TABLE usage_alone (id int PRIMARY KEY)")
    cursor.execute("INSERT INTO usage_alone VALUES (1)")
    cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('usage', '9999_later', now())")
""")  # fmt: skip
    now = said(start, *rows)
    said(start, "manage.py", "database", "dump", str(later))
    whole = dump.read_bytes()
    broken = {
        "cut": (whole[: len(whole) * 3 // 4], "as it was"),
        "noise": (b"PGDMP" + bytes(range(256)) * 40, "cannot be read as a dump"),
        "text": (b"CREATE TABLE t ();\n", "cannot be read as a dump"),
    }
    for name, (body, why) in broken.items():
        file = folder.parent / f"{name}.dump"
        file.write_bytes(body)
        refused = start("manage.py", "database", "restore", str(file))
        assert why in refused.communicate(timeout=300)[0], name
        assert refused.returncode == 1
        assert said(start, *rows) == now

    said(start, "manage.py", "database", "restore", str(dump))
    assert said(start, *rows) == before
    assert "migrations" in said(start, "manage.py", "migrate")  # what a later release would do next
    refused = start("manage.py", "database", "restore", str(later))
    assert "newer release, with usage.9999_later" in refused.communicate(timeout=300)[0]
    assert said(start, *rows) == before


@pytest.mark.django_db
def test_what_is_no_dump_and_a_server_that_does_not_answer_are_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.dump"
    here = replace(settings.DATABASE, name=connection.settings_dict["NAME"])
    monkeypatch.setattr(settings, "DATABASE", here)
    dumps.write(file)
    part = tmp_path / "part.dump"
    dumps.run(["pg_dump", "--format=custom", "--table=usage_period", f"--file={part}"])
    with pytest.raises(CommandError, match="is no dump of Ratecard's; the database is as it was"):
        dumps.restore(part)
    monkeypatch.setattr(settings, "DATABASE", replace(here, host="127.0.0.1", port="1"))
    with pytest.raises(CommandError, match="could not be restored; the database is as it was"):
        dumps.restore(file)


def test_a_dump_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "all.dump"
    with pytest.raises(CommandError, match=f"^{file} cannot be written: No such file or directory.$"):
        call_command("database", "dump", str(file))
