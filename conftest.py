"""Starts the tests' PostgreSQL and decides what is skipped where something is missing."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

SHARED = Path(__file__).resolve().parent.parent / "shared" / "data"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LONGEST = (
    "tests/pricing/test_replay_shared.py",
    "tests/dashboards/test_screens.py",
    "tests/dashboards/test_catalogue_screens.py",
    "tests/dashboards/test_catalogue_pages.py",
    "tests/pricing/test_price_commands.py",
    "tests/pricing/test_audits_shared.py",
    "tests/dashboards/test_pages.py",
    "tests/config/test_quickstart.py",
    "tests/dashboards/test_changes_page.py",
    "tests/dashboards/test_money_evidence.py",
    "tests/dashboards/test_review_page.py",
    "tests/dashboards/test_sources_page.py",
    "tests/usage/test_properties.py",
    "tests/config/test_killed_import.py",
    "tests/usage/test_rating_catalogue.py",
    "tests/dashboards/test_compare_page.py",
    "tests/dashboards/test_api_schema.py",
    "tests/config/test_embedded.py",
    "tests/config/test_broker.py",
    "tests/pricing/test_hostile.py",
    "tests/peers/test_litellm_map.py",
)
_server = contextlib.ExitStack()


# How long an example takes depends on what else the machine does; speed is measured by `make bench`.
hypothesis.settings.register_profile("ratecard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ratecard")


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, once: where workers share the tests, the process that hands them out does it."""
    from django.conf import settings

    from config import embedded

    if settings.DATA_DIR is None or config.option.collectonly or _is_worker(config):
        return
    _server.enter_context(embedded.serving(settings.DATA_DIR, for_tests=True))
    _drop_databases_of_ended_runs()
    _make_template()
    _server.callback(_drop_databases_of_ended_runs)  # of a worker that was killed on the way


def pytest_unconfigure() -> None:
    _server.close()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _begun_first(item: pytest.Item) -> int:
    """Long files come first, so that no worker is left alone with one at the end."""
    name = item.nodeid.partition("::")[0]
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


# After pytest-django's own order, which it leaves alone inside a file.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _is_worker(config):
        items.sort(key=_begun_first)
    no_chromium = pytest.mark.skip(reason="no Chromium was found: install the system's chromium package")
    no_shared = pytest.mark.skip(reason="the folder ../shared/data is not beside this checkout")
    no_peers = pytest.mark.skip(reason="LiteLLM is not installed beside: `python -m benchmarks.workspace` does that")
    peers = litellm()
    for item in items:
        if "browser" in item.keywords and chromium() is None:
            item.add_marker(no_chromium)
        if "peers" in item.keywords and peers is None and os.environ.get("CI") != "true":
            item.add_marker(no_peers)
        # In CI a missing folder is a fault to see, not a test to skip: there the test fails by itself.
        if "shared" in item.keywords and not SHARED.is_dir() and os.environ.get("CI") != "true":
            item.add_marker(no_shared)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "shared" in item.keywords and not SHARED.is_dir():
        pytest.fail(f"{SHARED} is missing, and with CI=true these tests must run", pytrace=False)
    if "peers" in item.keywords and litellm() is None:
        pytest.fail("LiteLLM could not be installed, and with CI=true these tests must run", pytrace=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; only for tests marked `shared`."""
    return SHARED


def litellm() -> Path | None:
    """The Python of the environment that the benchmarks made for LiteLLM; None where they have not."""
    from benchmarks.workspace import litellm_here

    return litellm_here()


@pytest.fixture(scope="session")
def litellm_python() -> Path:
    """The same; only for tests marked `peers`."""
    found = litellm()
    if found is None:
        pytest.skip("LiteLLM is not installed beside")
    return found


def chromium() -> str | None:
    """The browser to drive: RATECARD_CHROMIUM, or the first one on the path."""
    chosen = os.environ.get("RATECARD_CHROMIUM")
    return chosen or next((found for name in CHROMIUM if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """How pytest-playwright starts the system's Chromium, quiet and without a sandbox (root has none)."""
    return {
        "executable_path": chromium(),
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    }


@pytest.fixture(autouse=True)
def _no_async_guard_in_browser_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright's own event loop would make Django refuse every query of a browser test."""
    if "browser" not in request.keywords:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


def _make_template() -> None:
    """The database that those of the tests are copied from, with the tables of `schema.sql`; it stays for the next run.

    It has its name only once it is whole, so that another run in this checkout never copies half of it.
    """
    import psycopg
    from django.conf import settings

    from config import schema

    name, half = settings.DATABASES["default"]["TEST"]["TEMPLATE"], f"test_ratecard_{os.getpid()}_tables"
    with psycopg.connect(settings.DATABASE.conninfo(dbname="postgres"), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        for (older,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_tables_%'"):
            connection.execute(f'DROP DATABASE IF EXISTS "{older}"')
        connection.execute(f'CREATE DATABASE "{half}"')
        with psycopg.connect(settings.DATABASE.conninfo(dbname=half)) as tables:
            tables.execute(schema.FILE.read_text())
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(f'ALTER DATABASE "{half}" RENAME TO "{name}"')


def _drop_databases_of_ended_runs() -> None:
    """A killed run leaves its database behind; its process number is part of the name."""
    import psycopg
    from django.conf import settings

    with psycopg.connect(settings.DATABASE.conninfo(dbname="postgres"), autocommit=True) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_ratecard_%'").fetchall()
        for (name,) in names:
            pid = re.match(r"test_ratecard_(\d+)", name)
            if pid and not _alive(int(pid[1])):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
