"""Benchmarks fetched: conditionally, from public addresses, by name of what went wrong, and nothing half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.celery import app
from pricing import refreshing, refreshing_quality, tasks
from pricing.benchmarks import NamedModel, benchmarks
from pricing.fetching import Fetcher
from pricing.models import BenchmarkFetch, LanguageModel, Score
from pricing.quality import load_bundled
from pricing.refreshing_quality import Outcome, due_benchmarks, fetched_benchmarks
from tests.pricing.loopback import Exchange, Server, make_fetcher, serving
from tests.pricing.quality_cases import RECORDED

pytestmark = pytest.mark.django_db
HEAD = "Rank,Overall Acc,Model,Organization,Latency Mean (s)\n"
TABLE = HEAD + "".join(f"{rank},{90 - rank}%,Model {rank} (FC),Maker,1.5\n" for rank in range(1, 7))
ANALYSIS = "artificial-analysis"


class Desk:
    """What the benchmark's host says, and what it was asked."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.body: bytes = TABLE.encode()
        self.status = 200
        self.etag = '"1"'
        server.respond = self._answer

    def _answer(self, exchange: Exchange) -> None:
        if self.status == 200 and exchange.headers.get("if-none-match") == self.etag:
            exchange.answer(status=304, ETag=self.etag)
        else:
            exchange.answer(self.body, status=self.status, ETag=self.etag)

    @property
    def asked(self) -> list[dict[str, str]]:
        return [headers for _, headers in self.server.requests]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(lambda exchange: exchange.answer(b"")) as running:
        yield running


@pytest.fixture
def desk(server: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    server.requests.clear()
    monkeypatch.setattr(benchmarks()["bfcl"], "FEED", server.url("/data_overall.csv"))
    monkeypatch.setattr(refreshing, "default_fetcher", make_fetcher)
    return Desk(server)


def refresh(slug: str = "bfcl", **options: Any) -> Outcome:
    return refreshing_quality.refresh(slug, **options)


def names() -> set[str]:
    return set(Score.objects.filter(benchmark__slug="bfcl").values_list("display_name", flat=True))


class TestLooking:
    def test_what_it_publishes_is_recorded_under_today(self, desk: Desk) -> None:
        outcome = refresh()

        assert (outcome.status, outcome.recorded and outcome.recorded.inserted) == ("changed", 6)
        assert set(Score.objects.values_list("observed_on", flat=True)) == {datetime.now(UTC).date()}

    def test_a_table_that_has_not_changed_is_not_sent_again(self, desk: Desk) -> None:
        assert [refresh().status, refresh().status, refresh().status] == ["changed", "unchanged", "unchanged"]
        assert [headers.get("if-none-match") for headers in desk.asked] == [None, '"1"', '"1"']
        assert Score.objects.count() == 6

    def test_the_same_table_on_another_day_is_no_new_table(self, desk: Desk) -> None:
        refresh()
        earlier = datetime.now(UTC).date() - timedelta(days=9)
        Score.objects.update(observed_on=earlier)
        desk.etag = '"2"'

        assert refresh().status == "unchanged"
        assert set(Score.objects.values_list("observed_on", flat=True)) == {earlier}

        desk.etag, desk.body = '"3"', TABLE.replace("89%", "88.5%").encode()
        assert refresh().status == "changed"
        assert Score.objects.days("bfcl", "overall") == [earlier, datetime.now(UTC).date()]

    def test_a_dry_run_tells_and_writes_nothing(self, desk: Desk) -> None:
        assert refresh(dry_run=True).status == "changed"
        desk.status = 500
        assert refresh(dry_run=True).failure == "http_5xx"
        assert (Score.objects.count(), BenchmarkFetch.objects.count()) == (0, 0)

    @pytest.mark.parametrize(
        ("body", "failure"),
        [
            (b"", "empty"),
            (b"<html>Sign in</html>", "html_for_text"),
            (b"\xff\xfea\x00", "not_text"),
            (b"a,b\n1,2\n", "layout"),
            (TABLE.replace("89%", "889%").encode(), "layout"),
            (HEAD.encode() + TABLE.splitlines()[1].encode(), "implausible"),
            (b"x" * 300_000, "too_large"),
        ],
    )
    def test_a_body_that_is_not_its_table_is_named_and_changes_nothing(
        self, desk: Desk, body: bytes, failure: str
    ) -> None:
        refresh()
        before = names()
        desk.body, desk.etag = body, '"2"'

        outcome = refresh()

        assert (outcome.status, outcome.failure) == ("failed", failure)
        assert outcome.error.endswith(".")
        assert names() == before
        kept = BenchmarkFetch.objects.get()
        assert (kept.failure, kept.etag, kept.attempts) == (failure, '"1"', 1)

    def test_after_a_failure_the_last_good_state_is_asked_for(self, desk: Desk) -> None:
        refresh()
        desk.status = 503
        assert refresh().failure == "http_5xx"
        desk.status = 200

        assert refresh().status == "unchanged"
        assert BenchmarkFetch.objects.get().attempts == 0

    def test_a_private_address_is_not_asked(self, desk: Desk) -> None:
        assert refresh(fetcher=Fetcher()).failure in {"private_address", "dns"}
        assert desk.asked == []

    def test_a_parser_that_fails_is_a_failure_and_not_the_end(self, desk: Desk, monkeypatch: Any) -> None:
        monkeypatch.setattr(benchmarks()["bfcl"], "parse", lambda body: 1 / 0)

        assert refresh().failure == "bug"


class TestKeys:
    def test_without_its_key_it_is_skipped_and_the_variable_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for slug, variable in (
            (ANALYSIS, "RATECARD_ARTIFICIAL_ANALYSIS_KEY"),
            ("openrouter-benchmarks", "RATECARD_OPENROUTER_KEY"),
        ):
            monkeypatch.delenv(variable, raising=False)

            outcome = refresh(slug)

            assert (outcome.status, outcome.error) == ("skipped", f"It wants a key: set {variable}.")
        assert BenchmarkFetch.objects.count() == 0

    def test_a_key_goes_in_the_header_its_publisher_names_over_all_pages(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module: ModuleType = benchmarks()[ANALYSIS]  # type: ignore[assignment]
        feed = desk.server.url("/models")
        monkeypatch.setattr(module, "FEED", feed)
        monkeypatch.setenv(module.KEY, "secret")
        first, second = json.loads((RECORDED / ANALYSIS / "body.json").read_text())
        desk.server.respond = lambda exchange: exchange.answer(
            json.dumps(second if "page=2" in exchange.path else first).encode()
        )

        outcome = refresh(ANALYSIS)

        assert (outcome.status, outcome.recorded and outcome.recorded.names) == ("changed", 4)
        assert [headers.get("x-api-key") for headers in desk.asked] == ["secret", "secret"]
        assert "secret" not in str(BenchmarkFetch.objects.values())

    def test_the_newest_table_is_found_in_the_listing(self, desk: Desk) -> None:
        livebench: Any = benchmarks()["livebench"]
        listing = [{"name": name} for name in ("table_2026_06_25.csv", "table_2026_09_01.csv", "table.csv", "x.js")]

        assert livebench.feed_of(json.dumps(listing).encode()) == "https://livebench.ai/table_2026_09_01.csv"


class TestTimetable:
    def test_a_benchmark_is_due_once_its_cadence_is_over_and_a_failure_earlier(self, desk: Desk) -> None:
        now = datetime.now(UTC)
        assert "bfcl" in due_benchmarks(now)
        refresh()
        assert "bfcl" not in due_benchmarks(now + timedelta(days=6))
        assert "bfcl" in due_benchmarks(now + timedelta(days=8))
        desk.status = 503
        refresh()
        assert "bfcl" in due_benchmarks(now + timedelta(hours=1))

    def test_what_wants_a_key_that_is_not_here_is_never_due(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RATECARD_ARTIFICIAL_ANALYSIS_KEY", raising=False)

        assert ANALYSIS in fetched_benchmarks()
        assert ANALYSIS not in due_benchmarks(datetime.now(UTC))

    def test_a_task_delivered_twice_fetches_once(self, desk: Desk) -> None:
        tasks.refresh_benchmark("bfcl")
        tasks.refresh_benchmark("bfcl")

        assert len(desk.asked) == 1

    def test_beat_looks_every_quarter_of_an_hour(self) -> None:
        assert app.conf.beat_schedule["refresh-quality"] == {"task": "pricing.refresh_quality_due", "schedule": 900}

    def test_an_installation_that_may_not_fetch_does_not(self, desk: Desk, settings: Any) -> None:
        settings.FETCH = False

        tasks.refresh_quality_due()

        assert desk.asked == []


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("fetch_quality", *arguments, stdout=out)
        return out.getvalue()

    def test_live_says_what_became_of_each(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RATECARD_ARTIFICIAL_ANALYSIS_KEY", raising=False)
        said = self.run("--live", "--benchmark", "bfcl", "--benchmark", ANALYSIS)

        assert "6 scores of 6 names" in said
        assert "Artificial Analysis: skipped. It wants a key: set RATECARD_ARTIFICIAL_ANALYSIS_KEY." in said

    def test_live_ends_with_1_where_one_failed(self, desk: Desk) -> None:
        desk.status = 404

        with pytest.raises(SystemExit) as ending:
            self.run("--live", "--benchmark", "bfcl", "--json")

        assert ending.value.code == 1

    def test_unmapped_lists_the_best_first_with_the_reason(self, desk: Desk) -> None:
        refresh()
        (found,) = json.loads(self.run("--unmapped", "--benchmark", "bfcl", "--json"))["unmapped"].values()

        assert [(name["rank"], name["display_name"]) for name in found] == [(n, f"Model {n} (FC)") for n in range(1, 7)]
        assert {(name["decided"], name["reason"]) for name in found} == {(False, "no line of bfcl_map.csv names it")}
        assert "BFCL: 6 names without a model, 0 of them looked for in vain, 6 without" in self.run("--unmapped")

    def test_two_jobs_at_once_are_refused(self) -> None:
        with pytest.raises(CommandError, match="Choose one"):
            self.run("--live", "--unmapped")


def test_a_name_that_gets_its_line_later_finds_its_model_at_the_next_load(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh()
    model = LanguageModel.objects.create(slug="one", key="maker/one", maker="maker", name="One")
    line = NamedModel("Maker / Model 1 (FC)", "Model 1 (FC)", "maker/one", "high", "")
    monkeypatch.setattr("pricing.quality.read_map", lambda module: {line.display_name: line})
    monkeypatch.setattr(benchmarks()["bfcl"], "BUNDLED", {})

    load_bundled(["bfcl"])

    score = Score.objects.get(display_name="Model 1 (FC)")
    assert (score.model, score.effort) == (model, "high, fc")
    assert Score.objects.exclude(model=None).count() == 1
