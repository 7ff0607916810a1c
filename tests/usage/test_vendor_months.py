"""Months of an OpenAI and an Anthropic organisation, pulled again and again as it really goes: the spend is right."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.factories import adds_up, make_card, make_offering
from tests.usage.vendor_pages import (
    Json,
    anthropic_bucket,
    anthropic_cost,
    body,
    completion,
    day,
    messages,
    openai_bucket,
    openai_cost,
    page,
    pull,
)
from usage import ingest
from usage.importers import all_importers
from usage.models import ImportBatch, Organisation, SupersededRecord, UsageRecord
from usage.spending import report
from usage.verification import checks

pytestmark = pytest.mark.django_db

GPT, SONNET = "gpt-5.5", "claude-sonnet-4-5"
PEOPLE = (("proj_shop", "user_ada", "key_web"), ("proj_shop", "user_bob", "key_app"), ("proj_lab", "user_cyd", None))
Pull = Callable[..., ImportBatch]


@dataclass(slots=True)
class Month:
    """What a vendor knows of October: tokens in and out by day and person, and how it answers when asked."""

    vendor: str
    tokens: dict[tuple[int, int], tuple[int, int]] = field(
        default_factory=lambda: {
            (number, who): (10_000 * number + 1_000 * who, 100 * number + 10 * who)
            for number in range(1, 32)
            for who in range(len(PEOPLE))
            if number % 7  # a quiet day a week
        }
    )

    def buckets(self, *grouping: str, since: int = 1, until: int = 32) -> list[Json]:
        """The days [since, until) grouped by some of project, user and key."""
        make = openai_bucket if self.vendor == "openai" else anthropic_bucket
        return [make(day(number), *self._results(number, grouping)) for number in range(since, until)]

    def _results(self, number: int, grouping: tuple[str, ...]) -> list[Json]:
        sums: dict[tuple[Any, ...], list[int]] = {}
        for (at, who), (read, written) in self.tokens.items():
            if at == number:
                person = dict(zip(("project", "user", "key"), PEOPLE[who], strict=True))
                total = sums.setdefault(tuple(person[name] for name in grouping), [0, 0, 0])
                total[:] = total[0] + read, total[1] + written, total[2] + 1
        return [self._result(dict(zip(grouping, who, strict=True)), *total) for who, total in sums.items()]

    def _result(self, who: dict[str, Any], read: int, written: int, requests: int) -> Json:
        if self.vendor == "openai":
            names = {"project_id": who.get("project"), "user_id": who.get("user"), "api_key_id": who.get("key")}
            tokens = {"input_tokens": read, "input_cached_tokens": read // 2, "output_tokens": written}
            return completion(model=GPT, batch=False, service_tier="default", **tokens, **names) | {
                "num_model_requests": requests
            }
        names = {"workspace_id": who.get("project"), "account_id": who.get("user"), "api_key_id": who.get("key")}
        tokens = {"uncached_input_tokens": read - read // 2, "cache_read_input_tokens": read // 2}
        window = {"context_window": "0-200k", "service_tier": "standard", "model": SONNET}
        return messages(**tokens, output_tokens=written, **window, **names)

    @property
    def cost(self) -> Decimal:
        """What the month costs at the test's prices: 1, 0.1 and 2 USD per million uncached, cached and out."""
        return sum(
            (
                Decimal((read - read // 2) * 10 + read // 2 + written * 20) / 10**7
                for read, written in self.tokens.values()
            ),
            Decimal(0),
        )


@pytest.fixture(params=["openai", "anthropic"])
def month(request: pytest.FixtureRequest) -> Month:
    make_card(make_offering(GPT, "openai"))
    make_card(make_offering(SONNET, "anthropic"), context_from=0)
    return Month(request.param)


@pytest.fixture
def pulled(tmp_path: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> Pull:
    """Import pages as one file, or a file each, in small chunks; what it does always adds up."""
    numbers = itertools.count()
    monkeypatch.setattr(ingest.advance, "__defaults__", (None, 17))

    def run(slug: str, pages: list[Json], *, apart: bool = False, mapping: Json | None = None) -> ImportBatch:
        folder = tmp_path / f"pull-{next(numbers)}"
        folder.mkdir()
        for number, documents in enumerate([[one] for one in pages] if apart else [pages]):
            (folder / f"{number:03d}.ndjson.gz").write_bytes(gzip.compress(body(*documents)))
        batch = ingest.import_paths(organisation, slug, [folder], "acme", mapping)
        assert adds_up(batch)
        assert list(checks()) == []
        return batch

    return run


def spent(organisation: Organisation, kind: str = "list", since: datetime | None = None) -> Decimal:
    found = report(organisation, since.date() if since else None, grades=False)["total"][kind]
    return Decimal(found or 0)


def usage(month: Month) -> str:
    return f"{month.vendor}_usage"


GROUPINGS = ((), ("project",), ("project", "key"), ("project", "user", "key"))


@pytest.mark.parametrize("apart", [False, True], ids=["one file", "a file a page"])
def test_a_month_costs_the_same_however_it_is_grouped_and_paged(month, pulled, organisation, apart):
    """Changed groupings on re-pull: each replaces the one before, and none stands beside it."""
    for grouping, size in zip((*GROUPINGS, *reversed(GROUPINGS)), itertools.cycle((31, 5, 10))):
        batch = pulled(usage(month), pull(month.buckets(*grouping), size), apart=apart)
        assert batch.status == "done", batch.error
        assert spent(organisation) == month.cost
    assert UsageRecord.objects.count() == 27  # 31 days less the 4 quiet ones


def test_a_pull_again_changes_nothing(month, pulled, organisation):
    pages = pull(month.buckets("project", "key"), 7)
    first, again = pulled(usage(month), pages), pulled(usage(month), pages)
    assert (again.imported, again.updated, again.withdrawn) == (0, 0, 0)
    assert again.duplicate == first.imported
    assert spent(organisation) == month.cost


def test_a_month_pulled_piece_by_piece_is_the_month(month, pulled, organisation):
    """Windows that overlap, as the last days are pulled again every day."""
    for last in (*range(4, 32, 3), 32):
        pulled(usage(month), pull(month.buckets("project", since=max(1, last - 4), until=last), 2))
    assert spent(organisation) == month.cost
    assert not SupersededRecord.objects.exists()


@pytest.mark.parametrize("missing", [(2,), (2, 3, 4)], ids=["page 3", "page 3 and all after"])
@pytest.mark.parametrize("again", ["same grouping", "changed grouping"])
def test_a_pull_that_breaks_on_page_3_changes_nothing_and_the_whole_one_is_right(
    month, pulled, organisation, missing, again
):
    pulled(usage(month), pull(month.buckets("project"), 7))
    before = spent(organisation)
    month.tokens |= {(number, 0): (500_000, 900) for number in (1, 2, 16, 31)}  # restated meanwhile
    grouping = ("project",) if again == "same grouping" else ("project", "user", "key")
    pages = pull(month.buckets(*grouping), 7)
    broken = pulled(usage(month), [one for number, one in enumerate(pages) if number not in missing])
    assert (broken.status, broken.withdrawn) == ("held", 0)
    assert spent(organisation) == before
    whole = pulled(usage(month), pages)
    assert whole.status == "done", whole.error
    assert spent(organisation) == month.cost != before


def test_the_first_pages_of_a_first_pull_are_kept_and_the_rest_completes_them(month, pulled, organisation):
    pages = pull(month.buckets("project"), 7)
    assert pulled(usage(month), pages[:2]).status == "held"
    first = sum((Month(month.vendor, {k: v}).cost for k, v in month.tokens.items() if k[0] <= 14), Decimal(0))
    assert spent(organisation) == first
    pulled(usage(month), pages)
    assert spent(organisation) == month.cost


def test_a_page_that_breaks_off_in_the_middle_changes_nothing(month, pulled, organisation, tmp_path):
    pulled(usage(month), pull(month.buckets("project"), 7))
    whole = body(*pull(month.buckets("project", "key"), 7))
    (tmp_path / "cut.json").write_bytes(whole[: len(whole) * 2 // 3])
    batch = ingest.import_paths(organisation, usage(month), [tmp_path / "cut.json"], "acme")
    assert (batch.status, adds_up(batch), list(checks())) == ("held", True, [])
    assert spent(organisation) == month.cost


def test_a_vendor_that_restates_three_days_is_believed(month, pulled, organisation):
    """Up, down, and a row that vanishes; what was said before is kept."""
    pulled(usage(month), pull(month.buckets("project", "key"), 7))
    month.tokens[29, 0] = (900_000, 5_000)
    month.tokens[30, 1] = (1_000, 1)
    del month.tokens[31, 2]
    batch = pulled(usage(month), pull(month.buckets("project", "key", since=29), 2))
    assert (batch.status, batch.updated, batch.withdrawn) == ("done", 2, 1)
    assert spent(organisation) == month.cost
    assert sorted(SupersededRecord.objects.values_list("withdrawn", flat=True)) == [False, False, True]


@pytest.mark.parametrize("how", ["rows", "counts", "both under another grouping"])
def test_a_response_that_is_suddenly_half_is_held(month, pulled, organisation, how):
    pulled(usage(month), pull(month.buckets("project", "key"), 7))
    whole = dict(month.tokens)
    month.tokens = {
        key: (read // 3, written // 3) if how != "rows" else (read, written)
        for key, (read, written) in whole.items()
        if how != "rows" or key[0] < 12
    }
    grouping = ("project",) if how.startswith("both") else ("project", "key")
    batch = pulled(usage(month), pull(month.buckets(*grouping), 7))
    assert (batch.status, batch.withdrawn) == ("held", 0)
    assert "less than half" in batch.error
    month.tokens = whole
    assert spent(organisation) == month.cost
    pulled(usage(month), pull(month.buckets("project", "key"), 7))
    assert spent(organisation) == month.cost


def test_what_a_held_import_did_is_taken_back_to_the_last_row(month, pulled, organisation, ledger):
    pulled(usage(month), pull(month.buckets("project", "key"), 7))
    before, sums = ledger(organisation), report(organisation, group_by=("day", "model"), grades=False)
    month.tokens = {key: (read // 3, written) for key, (read, written) in month.tokens.items()}
    batch = pulled(usage(month), pull(month.buckets("project", "key"), 7))
    assert batch.status == "held"
    assert ledger(organisation) == before
    assert report(organisation, group_by=("day", "model"), grades=False) == sums
    assert not SupersededRecord.objects.exists()


def test_one_endpoint_withdraws_nothing_of_another(pulled, organisation):
    make_card(make_offering(GPT, "openai"))
    make_card(make_offering("text-embedding-3-small", "openai"))
    month = Month("openai")
    embedded = {"object": "organization.usage.embeddings.result", "model": "text-embedding-3-small"}
    vectors = [
        openai_bucket(day(number), embedded | {"input_tokens": 1_000_000, "num_model_requests": 9})
        for number in range(1, 32)
    ]
    empty = [openai_bucket(day(number)) for number in range(1, 32)]
    for pages in (pull(month.buckets("project"), 7), pull(vectors, 7), pull(empty, 7), pull(month.buckets("key"), 9)):
        assert pulled("openai_usage", pages).status == "done"
    assert spent(organisation) == month.cost + 31
    both = pulled("openai_usage", [*pull(month.buckets(), 7), *pull(vectors, 31)])
    assert (both.status, spent(organisation)) == ("done", month.cost + 31)


def bill(vendor: str, cents: dict[tuple[int, str], int], since: int = 1, until: int = 32) -> list[Json]:
    """The days [since, until) of a bill by day and project."""
    found = []
    for number in range(since, until):
        amounts = [(project, amount) for (at, project), amount in cents.items() if at == number]
        if vendor == "openai":
            results = [openai_cost(amount / 100, line_item=f"{GPT}, input", project_id=p) for p, amount in amounts]
            found.append(openai_bucket(day(number), *results))
        else:
            results = [anthropic_cost(f"{amount}.0", workspace_id=p, model=SONNET) for p, amount in amounts]
            found.append(anthropic_bucket(day(number), *results))
    return found


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_bill_is_right_to_the_cent_after_each_pull(vendor, pulled, organisation):
    slug = f"{vendor}_cost{'s' * (vendor == 'openai')}"
    cents = {(number, project): 100 * number + 7 for number in range(1, 32) for project in ("proj_shop", "proj_lab")}
    pulled(slug, pull(bill(vendor, cents), 10))
    assert spent(organisation, "reported") == Decimal(sum(cents.values())) / 100
    cents[31, "proj_lab"], cents[30, "proj_new"] = 1, 55
    del cents[29, "proj_shop"]
    batch = pulled(slug, pull(bill(vendor, cents, since=29), 2))
    assert (batch.imported, batch.updated, batch.withdrawn) == (1, 1, 1)
    assert spent(organisation, "reported") == Decimal(sum(cents.values())) / 100
    held = pulled(slug, pull(bill(vendor, {(number, "proj_shop"): 1 for number in range(1, 32)}), 10))
    assert "less than half" in held.error
    assert spent(organisation, "reported") == Decimal(sum(cents.values())) / 100
    assert report(organisation, grades=False)["total"]["in_uncached"] is None


WHOLE = {"window": {"from": day(10).isoformat(), "until": day(12).isoformat(), "whole": True}}


@pytest.mark.parametrize("mapping", [None, WHOLE], ids=["from a file", "from a pull"])
@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_days_of_a_bill_that_are_suddenly_empty_are_held_and_withdrawn_once_accepted(
    vendor, mapping, pulled, organisation
):
    slug = f"{vendor}_cost{'s' * (vendor == 'openai')}"
    pulled(slug, pull(bill(vendor, {(number, "proj_shop"): 500 for number in range(9, 13)}, since=9, until=13), 10))
    empty = pulled(slug, pull(bill(vendor, {}, since=10, until=12), 10), mapping=mapping)
    assert (empty.status, empty.withdrawn, spent(organisation, "reported")) == ("held", 0, 20)
    assert "less than half" in empty.error
    assert ingest.may_be_accepted(empty)
    again = ingest.read_again(empty, accepted=True)
    ingest.advance(again)
    assert (again.status, again.withdrawn, spent(organisation, "reported")) == ("done", 2, 10)
    assert pulled(slug, pull(bill(vendor, {}, since=10, until=12), 10), mapping=mapping).status == "done"


def test_a_bill_beside_its_usage_leaves_both_as_they_are(month, pulled, organisation):
    """They are feeds of one account, and never summed into each other's money."""
    pulled(usage(month), pull(month.buckets("project"), 7))
    slug = f"{month.vendor}_cost{'s' * (month.vendor == 'openai')}"
    pulled(slug, pull(bill(month.vendor, {(5, "proj_shop"): 1234}), 31))
    assert (spent(organisation), spent(organisation, "reported")) == (month.cost, Decimal("12.34"))


# The samples

SAMPLES = {
    "openai_usage": {
        "audio_speeches": (1, 0), "audio_transcriptions": (1, 0), "code_interpreter_sessions": (1, 0),
        "completions": (2, 0), "completions.groupby": (2, 0), "embeddings": (1, 0), "file_search_calls": (1, 0),
        "images": (1, 0), "moderations": (1, 0), "vector_stores": (0, 1), "web_search_calls": (1, 0),
    },
    "openai_costs": {"costs": (1, 0)},
    "anthropic_usage": {"messages": (2, 0)},
    "anthropic_cost": {"cost_report": (1, 0)},
}  # fmt: skip
"""Records and ignored lines of each sample: a result, and one more for audio, images out, or web searches."""
NAMES = {
    "openai_usage": "openai/organization_usage_",
    "openai_costs": "openai/organization_",
    "anthropic_usage": "anthropic/usage_report_",
    "anthropic_cost": "anthropic/",
}


def sample(shared_data: Path, slug: str, name: str) -> Path:
    ending = ".example.json" if "." in name else ".doc-example.json"
    return shared_data / "usage" / f"{NAMES[slug]}{name}{ending}"


@pytest.mark.shared
@pytest.mark.parametrize("slug", SAMPLES)
def test_every_sample_imports_to_the_counts_that_its_format_implies(slug, shared_data, organisation):
    for name, (records, ignored) in SAMPLES[slug].items():
        path = sample(shared_data, slug, name)
        batch = ingest.import_paths(organisation, slug, [path], name)
        found = (batch.imported, sum(batch.ignored.values()), batch.rejected, batch.status)
        # Some of the examples say that a page follows, which is not there.
        more = '"has_more": true' in path.read_text()
        assert found == (records, ignored, {}, "held" if more else "done"), name
    assert list(checks()) == []


@pytest.mark.shared
def test_the_samples_sum_to_what_they_say(shared_data, organisation):
    for slug, name in (("openai_usage", "completions.groupby"), ("anthropic_usage", "messages")):
        ingest.import_paths(organisation, slug, [sample(shared_data, slug, name)], "sample")
    rows = UsageRecord.objects.values_list("connection__importer", "in_uncached", "in_cache_read", "in_cache_write")
    sums: dict[str, list[int]] = {}
    for slug, *tokens in rows:
        total = sums.setdefault(slug, [0, 0, 0])
        total[:] = [one + (other or 0) for one, other in zip(total, tokens, strict=True)]
    assert sums == {"openai_usage": [500, 400, 100], "anthropic_usage": [1500, 200, 1500]}
    ingest.import_paths(
        organisation, "anthropic_cost", [sample(shared_data, "anthropic_cost", "cost_report")], "sample"
    )
    assert spent(organisation, "reported") == Decimal("1.2378912")


@pytest.mark.shared
def test_a_month_made_of_the_samples_is_right_after_each_pull(shared_data, pulled, organisation):
    """The samples' own results, one a day: a changed grouping, a page that is missing, three days restated."""
    for slug, name, make in (
        ("openai_usage", "completions.groupby", openai_bucket),
        ("anthropic_usage", "messages", anthropic_bucket),
    ):
        result = json.loads(sample(shared_data, slug, name).read_text())["data"][0]["results"][0]
        key = "api_key_id"
        grouped = [make(day(n), result | {key: "key_a"}, result | {key: "key_b"}) for n in range(1, 32)]
        doubled = {name: 2 * v if type(v) is int else v for name, v in result.items()} | {key: None}
        if "cache_creation" in result:
            doubled["cache_creation"] = {name: 2 * v for name, v in result["cache_creation"].items()}
            doubled["server_tool_use"] = {"web_search_requests": 2 * result["server_tool_use"]["web_search_requests"]}
        flat = [make(day(n), doubled) for n in range(1, 32)]
        restated = [make(day(n), doubled, result | {key: "key_c"}) for n in range(29, 32)]
        each = _tokens(slug, [make(day(1), result)])
        for pages, days in (
            (pull(grouped, 8), 62),
            (pull(flat, 8)[:2] + pull(flat, 8)[3:], 62),
            (pull(flat, 8), 62),
            (pull(restated, 2), 65),
        ):
            pulled(slug, pages)
            assert _in_ledger(slug) == [days * tokens for tokens in each]


def _tokens(slug: str, buckets: list[Json]) -> list[int]:
    importer: Any = all_importers()[slug]
    facts = list(importer.parse(importer.split(io.BytesIO(body(page(buckets)))), "", None))
    names = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
    return [sum(getattr(fact, name) or 0 for fact in facts) for name in names]


def _in_ledger(slug: str) -> list[int]:
    rows = UsageRecord.objects.filter(connection__importer=slug)
    names = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
    return [sum(tokens or 0 for tokens in rows.values_list(name, flat=True)) for name in names]
