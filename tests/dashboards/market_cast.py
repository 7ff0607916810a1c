"""A small market for tests of the catalogue's pages: sellers, models, prices with their evidence, ratings."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.models import (
    Benchmark,
    Claim,
    HolidayCalendar,
    LanguageModel,
    Offering,
    Price,
    PriceEvent,
    PriceSource,
    Provider,
    Score,
    Snapshot,
    SourceRun,
)

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
SEEN = datetime(2026, 11, 10, tzinfo=UTC)
RATED = date(2026, 10, 20)
PEAK = "mon-fri 01:00-04:00 UTC except cn"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_source(slug: str = "curated") -> PriceSource:
    return PriceSource.objects.get_or_create(
        slug=slug, defaults={"name": slug, "trust": "curated", "licence": "MIT", "cadence_hours": 24}
    )[0]


def make_snapshot(body: bytes = b"prices") -> Snapshot:
    digest = hashlib.sha256(body).hexdigest()
    defaults = {"body": zlib.compress(body), "size": len(body)}
    return Snapshot.objects.get_or_create(sha256=digest, defaults=defaults)[0]


def make_offering(
    model: str, provider: str = "acme", *, maker: str = "acme", name: str = "", sku: str = "", **fields: Any
) -> Offering:
    seller = Provider.objects.get_or_create(slug=provider, defaults={"name": provider.title()})[0]
    weights = LanguageModel.objects.get_or_create(
        slug=model, defaults={"key": f"{maker}/{model}", "maker": maker, "name": name or model, **fields}
    )[0]
    return Offering.objects.create(provider=seller, sku=sku or model, model=weights)


def make_claim(offering: Offering, unit: str, amount: str, *, source: str = "curated", **fields: Any) -> Claim:
    """What one source says of one price since the first of January, unless `fields` say otherwise."""
    key: dict[str, Any] = {
        "per": 1_000_000, "effective_from": utc("2026-01-01"), "basis": "documented", "precision": "day",
        "evidence_at": utc("2026-01-01"),
    }  # fmt: skip
    key |= fields
    return Claim.objects.create(
        source=make_source(source), offering=offering, unit=unit, amount=Decimal(amount), last_seen_at=SEEN,
        first_seen_at=key["evidence_at"], snapshot=make_snapshot(), url="https://vendor.example/prices", **key,
    )  # fmt: skip


def make_price(
    offering: Offering, unit: str, amount: str, *, since: str = "2026-01-01", until: str = "",
    agreeing: tuple[str, ...] = ("curated",), **fields: Any,
) -> Price:  # fmt: skip
    """A price held true, with the claim it stands on; `fields` are of both."""
    times: dict[str, Any] = {"effective_from": utc(since), "effective_until": utc(until) if until else None}
    claim = make_claim(offering, unit, amount, **times, **fields)
    key = {
        "unit": unit, "amount": claim.amount, "per": claim.per, "basis": claim.basis, "precision": claim.precision,
        "evidence_at": claim.evidence_at,
    }  # fmt: skip
    return Price.objects.create(
        offering=offering, claim=claim, source=claim.source, known_from=claim.evidence_at,
        observed_at=SEEN, seen_at=SEEN,
        trust="curated", agreeing=list(agreeing), why=f"curated dates it {since}.", **{**key, **times, **fields},
    )  # fmt: skip


def make_score(model: str | None, name: str, value: str, *, effort: str = "", votes: int = 5000) -> Score:
    benchmark = Benchmark.objects.get_or_create(
        slug="arena",
        defaults={"name": "Arena", "unit": "Arena rating", "url": "https://lmarena.ai", "licence": "CC BY 4.0",
                  "attribution": "Arena ratings by LMArena (lmarena.ai), CC BY 4.0"},
    )[0]  # fmt: skip
    return Score.objects.create(
        benchmark=benchmark, category="overall", raw_name=name, display_name=name, effort=effort, n=votes,
        model=LanguageModel.objects.get(slug=model) if model else None, value=Decimal(value),
        low=Decimal(value) - 5, high=Decimal(value) + 5, observed_on=RATED, source_url="https://lmarena.ai",
    )  # fmt: skip


def make_market() -> dict[str, Offering]:
    """Acme's best and its cheap model, another maker's open one at two hosts, and one whose name is markup."""
    make_source()
    SourceRun.objects.create(source=make_source(), status="changed", observed_at=SEEN, snapshot=make_snapshot(),
                             version="1.0")  # fmt: skip
    sold = {
        "best": make_offering("best-1", name="Best 1", context_window=1_000_000),
        "cheap": make_offering("cheap-1", name="Cheap 1"),
        "open": make_offering("open-1", "umbra", maker="umbra", name="Open 1", open_weights=True),
        "hosted": make_offering("open-1", "hoster", maker="umbra", sku="umbra/open-1"),
        "markup": make_offering("markup-1", "umbra", maker="umbra", name='<img src=x onerror="alert(1)"> & Co'),
        "unpriced": make_offering("silent-1", "umbra", maker="umbra", name="Silent 1"),
        "gratis": make_offering("gratis-1", "umbra", maker="umbra", name="Gratis 1"),
    }
    for name, (inp, out, cached) in {
        "cheap": ("0.10", "0.40", "0.01"), "open": ("0.30", "0.90", ""), "hosted": ("0.20", "0.60", ""),
        "markup": ("1", "2", ""), "gratis": ("0", "0", ""),
    }.items():  # fmt: skip
        for unit, amount in (("input", inp), ("output", out), ("cache_read", cached)):
            if amount:
                make_price(sold[name], unit, amount)
    best = sold["best"]
    make_price(best, "input", "4", since="2026-02-01", until="2026-09-10", precision="unknown", basis="inferred")
    make_price(best, "output", "20", since="2026-02-01", until="2026-09-10", agreeing=("curated", "second"))
    make_price(best, "input", "2", since="2026-09-10", until="2026-12-01", agreeing=("curated", "second"))
    make_price(best, "output", "10", since="2026-09-10", until="2026-12-01", agreeing=("curated", "second"))
    make_price(best, "input", "4", since="2026-12-01")
    make_price(best, "output", "20", since="2026-12-01")
    make_price(best, "cache_read", "0.2", since="2026-02-01")
    make_price(best, "input", "1", since="2026-02-01", service_tier="batch")
    make_price(best, "output", "5", since="2026-02-01", service_tier="batch")
    make_price(best, "input", "8", since="2026-02-01", context_from=200_000, context_op=">",
               context_mode="whole_request")  # fmt: skip
    make_price(best, "input", "3", since="2026-06-01", schedule=PEAK)
    make_price(best, "web_search", "14", since="2026-02-01", per=1000)
    HolidayCalendar.objects.create(
        slug="cn", utc_offset_hours=8, dates=[], covers_through=date(2026, 12, 31), url="https://calendar.example",
        source=make_source(),
    )  # fmt: skip
    PriceEvent.objects.create(
        offering=best, unit="output", service_tier="standard", kind="cut", old=Decimal(20), new=Decimal(10),
        per=1_000_000, currency="USD", effective_from=utc("2026-11-01"), observed_at=utc("2026-11-01"),
        source=make_source(), why="curated dates it.",
    )  # fmt: skip
    make_score("best-1", "Best 1 (High)", "1520", effort="high")
    make_score("best-1", "Best 1", "1500")
    make_score("cheap-1", "Cheap 1", "1480")
    make_score("open-1", "Open 1", "1450")
    make_score("markup-1", '<img src=x onerror="alert(1)"> & Co', "1475")
    make_score("silent-1", "Silent 1", "1400")
    make_score("gratis-1", "Gratis 1", "1350")
    make_score(None, "Nobody Knows 9", "1390")
    return sold
