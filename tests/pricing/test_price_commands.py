"""The commands that ask the catalogue: what they print, and 0, 1 or 2 where each belongs."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from pricing import ratecards
from pricing.models import Offering, Price, PriceEvent, RateCard, Snapshot, SourceRun
from pricing.sources import genai_prices

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=StringIO())
    return out.getvalue()


def run_json(*args: str) -> Any:
    return json.loads(run(*args, "--json"))


def refused(*args: str) -> str:
    """The sentence of a command that ends with 2."""
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert caught.value.returncode == 2
    return str(caught.value)


@pytest.mark.usefixtures("catalogue")
class TestAsking:
    def test_price_prints_every_price_with_its_source(self) -> None:
        text = run("price", "gpt-5.6-sol", "--provider", "openai", "--at", "2026-08-23", "--tier", "standard")
        assert "4 USD per Mtok" in text
        assert "20 USD per Mtok" in text
        assert "https://openai.com/index/gpt-5-6/" in text

    def test_price_as_json_is_the_shape_programs_rely_on(self) -> None:
        answer = run_json("price", "gpt-5.6-sol", "--provider", "openai", "--at", "2026-08-20")
        assert answer["status"] == "priced"
        first = answer["offerings"][0]["prices"][0]
        assert (first["unit"], first["usd_per_mtok"], first["service_tier"]) == ("input", "5", "standard")

    def test_unknown_is_an_answer(self) -> None:
        assert "unknown" in run("price", "claude-sonnet-4-99999999")
        assert run_json("price", "claude-sonnet-4-99999999")["status"] == "unknown"

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--at", "tomorrow"], "not a date"),
            (["--at", "2026-08-20T00:00"], "no time zone"),
            (["--known-at", "2026-13-01"], "not a date"),
            (["--context", "-1"], "context must be"),
        ],
    )
    def test_a_bad_question_ends_with_2_and_a_sentence(self, arguments: list[str], sentence: str) -> None:
        assert sentence in refused("price", "gpt-4o", *arguments)

    def test_resolve_says_which_offering_and_by_which_rule(self) -> None:
        assert "provider prefix openai/" in run("resolve", "openai/gpt-4o")
        assert run_json("resolve", "nobody/knows")["status"] == "unresolved"
        assert "sign that cannot be printed" in refused("resolve", "a\x00b")

    def test_changes_are_those_of_the_range(self) -> None:
        found = run_json("changes", "--from", "2026-08-21", "--until", "2026-08-22", "--by", "effective")["changes"]
        assert {change["effective_from"][:10] for change in found} == {"2026-08-21"}
        assert "changes." in run("changes", "--source", "model_prices", "--from", "2026-10-01")
        assert "genai_prices, model_prices" in refused("changes", "--source", "rumours")
        assert "until must be after from" in refused("changes", "--from", "2026-08-22", "--until", "2026-08-21")

    def test_audit_counts_its_verdicts(self, tmp_path: Path) -> None:
        listed = tmp_path / "official.csv"
        listed.write_text(
            "provider,sku,unit,service_tier,region,period,min_input_tokens,usd_per_mtok\n"
            "openai,gpt-5.6-sol,input,,,,,4\nopenai,gpt-5.6-sol,output,,,,,21\nopenai,none,output,,,,,21\n"
        )
        answer = run_json("audit_prices", str(listed), "--at", "2026-11-01")
        assert (answer["right"], answer["wrong"], answer["missing"]) == (1, 1, 1)
        assert [row["verdict"] for row in answer["rows"]] == ["right", "wrong", "missing"]
        assert "1 right, 1 wrong, 1 missing." in run("audit_prices", str(listed), "--at", "2026-11-01")

    def test_a_list_that_cannot_be_read_ends_with_2(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_bytes(b"\xff\xfe\x00")
        assert "not text in UTF-8" in refused("audit_prices", str(bad))
        bad.write_text("provider,sku\n")
        assert "column unit is missing" in refused("audit_prices", str(bad))
        assert "cannot be read" in refused("audit_prices", str(tmp_path / "none.csv"))


@pytest.mark.usefixtures("catalogue")
class TestReading:
    def test_the_same_packages_again_change_nothing(self) -> None:
        before = (Price.objects.count(), PriceEvent.objects.count())
        runs = run_json("fetch_prices", "--bundled")["runs"]
        assert {one["status"] for one in runs} == {"unchanged"}
        assert (Price.objects.count(), PriceEvent.objects.count()) == before

    def test_a_dry_run_writes_nothing(self) -> None:
        before = SourceRun.objects.count()
        assert "Would be" in run("fetch_prices", "--bundled", "--dry-run", "--source", "model_prices")
        assert SourceRun.objects.count() == before

    def test_a_file_is_replayed_as_of_when_it_was_seen(self, tmp_path: Path) -> None:
        body = tmp_path / "body.json.gz"
        body.write_bytes(gzip.compress(genai_prices.bundled().body))
        answer = run_json(
            "fetch_prices", "--source", "genai_prices", "--file", str(body), "--observed-at", "2026-11-15T00:00:00Z"
        )
        (one,) = answer["runs"]
        assert (one["status"], one["observed_at"]) == ("unchanged", "2026-11-15T00:00:00Z")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--observed-at", "2026-11-15"], "name the file"),
            (["--file", "{body}"], "name it with --source"),
            (["--file", "{body}", "--source", "genai_prices"], "add --observed-at"),
            (["--file", "{body}", "--source", "genai_prices", "--observed-at", "2199-01-01"], "future"),
            (["--file", "{gone}", "--source", "genai_prices", "--observed-at", "2026-11-15"], "cannot be read"),
            (["--file", "{broken}", "--source", "genai_prices", "--observed-at", "2026-11-15"], "gzip"),
        ],
    )
    def test_bad_input_ends_with_2(self, arguments: list[str], sentence: str, tmp_path: Path) -> None:
        (tmp_path / "body").write_text("{}")
        (tmp_path / "broken.gz").write_text("{}")
        paths = {"body": tmp_path / "body", "gone": tmp_path / "gone", "broken": tmp_path / "broken.gz"}
        assert sentence in refused("fetch_prices", *(part.format(**paths) for part in arguments))

    def test_a_body_no_parser_knows_ends_with_1_and_leaves_the_catalogue(self, tmp_path: Path) -> None:
        (tmp_path / "body").write_text("<html>")
        before = Price.objects.count()
        with pytest.raises(CommandError) as caught:
            run(
                "fetch_prices", "--file", str(tmp_path / "body"), "--source", "model_prices", "--observed-at",
                "2026-11-15",
            )  # fmt: skip
        assert caught.value.returncode == 1
        assert Price.objects.count() == before
        assert SourceRun.objects.order_by("-pk")[0].status == SourceRun.Status.FAILED


@pytest.mark.usefixtures("catalogue")
class TestVerify:
    @staticmethod
    def findings(*arguments: str) -> list[dict[str, str]]:
        out = StringIO()
        with suppress(CommandError):
            call_command("verify", "--json", *arguments, stdout=out)
        found: list[dict[str, str]] = [f for f in json.loads(out.getvalue())["findings"] if f["app"] == "pricing"]
        return found

    def test_the_bundled_catalogue_keeps_every_promise(self) -> None:
        assert self.findings() == []
        assert "Everything holds" in run("verify")

    def test_a_price_that_no_claim_gives_is_found_and_repaired(self) -> None:
        row = Price.objects.filter(known_until=None, unit="input", amount__gt=1)[0]
        Price.objects.filter(pk=row.pk).update(amount=Decimal("0.5"))
        assert {found["check"] for found in self.findings()} == {"prices", "evidence"}
        with pytest.raises(CommandError) as caught:
            run("verify")
        assert caught.value.returncode == 1
        assert self.findings("--repair") == []
        row.refresh_from_db()
        assert row.superseded_at is not None

    def test_a_rate_card_that_its_prices_do_not_give_is_found_and_repaired(self) -> None:
        offering = Offering.objects.get(provider__slug="openai", sku="gpt-5.6-sol")
        ratecards.ensure([offering.pk])
        assert self.findings() == []
        RateCard.objects.filter(offering=offering, reasoning=None).update(reasoning=0)
        assert {found["check"] for found in self.findings()} == {"unknown", "rate cards"}
        assert self.findings("--repair") == []

    def test_bytes_that_are_not_those_that_were_read_are_found(self) -> None:
        Snapshot.objects.filter(pk=Snapshot.objects.all()[0].pk).update(body=b"else")
        assert [found["check"] for found in self.findings()] == ["evidence"]

    def test_two_prices_at_one_time_are_found_where_the_constraint_is_gone(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE pricing_price DROP CONSTRAINT one_price_at_a_time")
        row = Price.objects.filter(known_until=None, unit="input")[0]
        row.pk = None
        row.save()
        assert "overlaps" in {found["check"] for found in self.findings()}
