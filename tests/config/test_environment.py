from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.environment import BASE_DIR, Database


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "EMAIL_URL", "CELERY_BROKER_URL", "MAX_UPLOAD", "HTTPS_PROXY"):
        monkeypatch.delenv(f"RATECARD_{name}", raising=False)


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("embedded://.data", BASE_DIR / ".data"),
        ("embedded://some/where else", BASE_DIR / "some/where else"),
        ("embedded:///var/lib/rate%20card", Path("/var/lib/rate%20card")),
    ],
)
def test_the_embedded_path_is_literal_and_counts_from_manage_py(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATECARD_DATABASE_URL", url)
    assert environment.database().folder == folder


def test_a_postgresql_url_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "RATECARD_DATABASE_URL",
        "postgresql://rate%40card:p%2Fw@db.example:6432/prices?sslmode=require&connect_timeout=5",
    )
    assert environment.database() == Database(
        name="prices",
        user="rate@card",
        password="p/w",
        host="db.example",
        port="6432",
        options={"sslmode": "require", "connect_timeout": "5"},
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "sqlite:///x", "RATECARD_DATABASE_URL must be embedded://FOLDER or postgresql://"),
        ("DATABASE_URL", "embedded://", "RATECARD_DATABASE_URL names no folder: write embedded://.data"),
        ("DATABASE_URL", "postgresql://host", "RATECARD_DATABASE_URL names no database: write postgresql://"),
        (
            "DATABASE_URL",
            "postgresql://h/d?speed=9",
            "RATECARD_DATABASE_URL is not a PostgreSQL URL (invalid",
        ),
    ],
)
def test_a_wrong_database_url_is_one_sentence_on_what_to_set(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RATECARD_{name}", value)
    with pytest.raises(ImproperlyConfigured) as fault:
        environment.database()
    assert str(fault.value).startswith(sentence)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("value", "size"),
    [("52428800", 50 << 20), ("500K", 500 << 10), ("50M", 50 << 20), ("50 MiB", 50 << 20), ("1g", 1 << 30)],
)
def test_sizes_may_have_a_unit(value: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_MAX_UPLOAD", value)
    assert environment.size("MAX_UPLOAD", default=1) == size


@pytest.mark.parametrize("value", ["much", "0", "-5M", "5T", "1.5G"])
def test_a_size_that_cannot_be_read_names_its_variable(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_MAX_UPLOAD", value)
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_MAX_UPLOAD must be a size such as"):
        environment.size("MAX_UPLOAD", default=1)


def test_a_truth_value_that_is_neither_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_PUBLIC_CATALOG", "maybe")
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_PUBLIC_CATALOG is neither true nor false"):
        environment.boolean("PUBLIC_CATALOG", default=True)


def test_mail_over_smtp_is_encrypted_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_EMAIL_URL", "smtp://me:s%3Acret@mail.example?from=rates@corp.example")
    known = environment.mail()
    assert (known["EMAIL_HOST"], known["EMAIL_PORT"], known["EMAIL_HOST_PASSWORD"]) == (
        "mail.example",
        587,
        "s:cret",
    )
    assert known["EMAIL_USE_TLS"] is True
    monkeypatch.setenv("RATECARD_EMAIL_URL", "smtp://localhost:25?from=rates@corp.example&tls=none")
    assert environment.mail()["EMAIL_USE_TLS"] is False


def test_mail_without_a_sender_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_EMAIL_URL", "smtp://mail.example")
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_EMAIL_URL names no sender: add \?from="):
        environment.mail()


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    where = Database(folder=tmp_path / "data")
    first = environment.secret_key(where)
    assert len(first) >= 50
    assert environment.secret_key(where) == first
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_database_elsewhere_needs_a_key_that_is_set() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_SECRET_KEY is not set: set it to"):
        environment.secret_key(Database(host="db.example"))


def test_a_short_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_SECRET_KEY", "letmein")
    with pytest.raises(ImproperlyConfigured, match=r"^RATECARD_SECRET_KEY is shorter than 32"):
        environment.secret_key(Database())
