"""GPU rates: facts with their source, once each, corrected by the same key, refused with the line at fault."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from decimal import Decimal as D
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from pricing.gpu_rates import TABLE, Recorded, UnreadableRates, load_bundled, parse, record
from pricing.models import GpuRate

HEAD = "host,gpu,terms,usd_per_hour,observed_on,source\n"


def table(*lines: str) -> bytes:
    return (HEAD + "\n".join(lines)).encode()


def test_every_bundled_rate_says_who_says_so_when_and_under_which_licence() -> None:
    facts = parse(TABLE.read_bytes())
    assert len(facts) > 60
    assert [one for one in facts if not (one.source and one.source_url and one.licence)] == []
    assert {one.terms for one in facts} == {"on_demand", "median on demand", "median spot"}


@pytest.mark.django_db
def test_loading_twice_changes_nothing_and_takes_no_time() -> None:
    first = load_bundled()
    assert first.inserted == first.rates == GpuRate.objects.count()
    began = time.monotonic()
    assert load_bundled() == Recorded(0, 0, first.rates)
    assert time.monotonic() - began < 0.2


@pytest.mark.django_db
def test_a_corrected_rate_corrects_and_another_day_is_another_rate() -> None:
    record(parse(table("Acme,H100,,3.00,2026-11-01,us")))
    assert record(parse(table("Acme,H100,,2.90,2026-11-01,us"))) == Recorded(0, 1, 0)
    assert record(parse(table("Acme,H100,,2.80,2026-11-09,us"))) == Recorded(1, 0, 0)
    rates = GpuRate.objects.order_by("observed_on").values_list("usd_per_hour", "terms", "source")
    assert list(rates) == [(D("2.90"), "on_demand", "us"), (D("2.80"), "on_demand", "us")]


@pytest.mark.django_db
def test_the_newest_rate_of_a_day_stands_and_one_too_old_says_nothing() -> None:
    record(parse(table("Acme,H100,,3,2026-01-01,us", "Acme,H100,,2,2026-11-01,us", "Umbra,H100,,1,2025-01-01,us")))
    found = GpuRate.objects.as_of(date(2026, 11, 20), timedelta(days=180))
    assert [(one.host, one.usd_per_hour) for one in found] == [("Acme", D(2))]
    found = GpuRate.objects.as_of(date(2026, 10, 31), timedelta(days=365))
    assert [(one.host, one.usd_per_hour) for one in found] == [("Acme", D(3))]


@pytest.mark.django_db
def test_the_database_keeps_one_rate_of_a_host_gpu_terms_and_day() -> None:
    same = {"host": "Acme", "gpu": "H100", "usd_per_hour": D(3), "observed_on": date(2026, 11, 1)}
    GpuRate.objects.create(**same)
    with pytest.raises(IntegrityError):
        GpuRate.objects.create(**same)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"gpu,usd_per_hour\nH100,3", "The head lacks host, observed_on"),
        (b"", "The head lacks host"),
        (HEAD.encode(), "no rates"),
        (table("Acme,H100,,3"), "Line 2 has 4 fields"),
        (table("Acme,H100,,,2026-11-01,us"), "Line 2 lacks usd_per_hour"),
        (table("Acme,H100,,0,2026-11-01,us"), "no price"),
        (table("Acme,H100,,NaN,2026-11-01,us"), "no price"),
        (table("Acme,H100,,1e9,2026-11-01,us"), "no price"),
        (table("Acme,H100,,free,2026-11-01,us"), "is a number such as"),
        (table("Acme,H100,,3,1 Nov,us"), "is a day such as"),
        (table("Acme,H100,,3,2026-11-01,us", "Acme,H100,,4,2026-11-01,us"), "Line 3 repeats H100 at Acme"),
        (table("A" * 101 + ",H100,,3,2026-11-01,us"), "longer than 100"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableRates, match=said):
        parse(body)


@pytest.mark.django_db
def test_the_command_records_a_file_of_ones_own_or_says_what_it_would(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_bytes(table("Acme,H100,,3,2026-11-01,contract 114"))
    for dry_run, left in ((True, 0), (False, 1)):
        out = StringIO()
        call_command("fetch_gpu_rates", file=file, dry_run=dry_run, json=True, stdout=out)
        assert json.loads(out.getvalue()) == {"dry_run": dry_run, "inserted": 1, "updated": 0, "unchanged": 0}
        assert GpuRate.objects.count() == left
    out = StringIO()
    call_command("fetch_gpu_rates", stdout=out)
    assert "0 corrected, 0 unchanged" in out.getvalue()
    file.write_bytes(b"nothing")
    with pytest.raises(CommandError, match="head lacks"):
        call_command("fetch_gpu_rates", file=file)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("fetch_gpu_rates", file=tmp_path / "none.csv")
