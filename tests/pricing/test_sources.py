"""What every price source promises, and what the two bundled ones say of a recorded body."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import schedules
from pricing.providers import canonical
from pricing.sources import TRUSTS, AliasFact, Reading, SourceError, Statement, all_sources

RECORDED = Path(__file__).parents[1] / "recorded" / "pricing"
SOURCES = list(all_sources().items())


def recorded_body(slug: str) -> bytes:
    bodies = [path for path in sorted((RECORDED / slug).glob("*")) if path.name != "expected.json"]
    assert len(bodies) == 1, f"put one recorded body of {slug} under tests/recorded/pricing/{slug}/"
    return bodies[0].read_bytes()


def _moment(when: datetime | None) -> str:
    if when is None:
        return "null"
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%dT%H:%M}"


def _line(s: Statement) -> str:
    context = f"{s.context_op}{s.context_from}"
    sku = f"{s.sku}@{s.region}" if s.region else s.sku
    unit = f"{s.unit}[{s.qualifier}]" if s.qualifier else s.unit
    return (
        f"{sku} {unit} {s.service_tier} {context} {s.amount.normalize():f} {s.currency}/{s.per} '{s.schedule}' "
        f"{_moment(s.effective_from)}..{_moment(s.effective_until)} {s.precision}"
    )


def _span(alias: AliasFact) -> str:
    if alias.valid_from is None and alias.valid_until is None:
        return ""
    return f" {_moment(alias.valid_from)}..{_moment(alias.valid_until)}"


def _facts(reading: Reading) -> dict[str, object]:
    rates = {"rates": sorted(f"{r.currency} {r.day} {r.usd}" for r in reading.rates)} if reading.rates else {}
    return rates | {
        "offerings": sorted(f"{o.provider}/{o.sku}{'@' * bool(o.region)}{o.region}" for o in reading.offerings),
        "aliases": sorted(f"{a.name}{'-DATE' if a.dated else ''} = {a.sku}{_span(a)}" for a in reading.aliases),
        "unplaced": dict(reading.unplaced),
        "statements": sorted(_line(s) for s in reading.statements),
    }


@pytest.mark.parametrize(("slug", "source"), SOURCES)
def test_a_source_declares_who_it_is(slug, source):
    assert slug == source.SLUG
    assert source.TRUST in TRUSTS
    assert source.NAME
    assert source.LICENCE
    assert source.URL.startswith("https://")
    assert source.FEED == "" or source.FEED.startswith("https://")
    assert source.CADENCE_HOURS > 0
    assert isinstance(source.STATES_HISTORY, bool)


@pytest.mark.parametrize(("slug", "source"), SOURCES)
def test_a_recorded_body_says_what_a_person_checked(slug, source):
    expected = json.loads((RECORDED / slug / "expected.json").read_text())
    assert _facts(source.parse(recorded_body(slug))) == expected


@pytest.mark.parametrize(("slug", "source"), SOURCES)
def test_a_source_states_each_key_once_and_in_the_vocabulary(slug, source):
    reading = source.parse(recorded_body(slug))
    assert reading.statements or reading.rates or reading.aliases
    keys = [
        (s.provider, s.sku, s.region, s.unit, s.qualifier, s.service_tier, s.context_from, s.schedule, s.effective_from)
        for s in reading.statements
    ]
    assert len(keys) == len(set(keys))
    for s in reading.statements:
        assert s.amount >= 0
        assert s.provider == canonical(s.provider)
        assert (s.context_from > 0) == bool(s.context_op) == bool(s.context_mode)
        assert s.schedule == "" or schedules.parse(s.schedule).text == s.schedule
        assert (s.precision == "unknown") == (s.effective_from is None)


@pytest.mark.parametrize(("slug", "source"), SOURCES)
def test_a_layout_nobody_knows_is_an_error_and_never_an_empty_catalogue(slug, source):
    for body in (b"", b"{}", b"[]", b"<html>", b"null", b'{"schema": 2}', b'[{"id": 1}]', b"\xff\xfe\x00"):
        with pytest.raises(SourceError):
            source.parse(body)


anything = st.recursive(
    st.none() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)
)


@given(body=st.binary(max_size=200) | anything.map(lambda json_: json.dumps(json_).encode()))
def test_no_body_surfaces_anything_but_a_source_error(body):
    for _, source in SOURCES:
        with pytest.raises(SourceError):
            source.parse(body)


@pytest.mark.parametrize(("slug", "source"), [(s, m) for s, m in SOURCES if hasattr(m, "bundled")])
def test_a_bundled_source_states_each_key_once_and_only_known_schedules(slug, source):
    bundle = source.bundled()
    reading = source.parse(bundle.body)
    assert bundle.observed_at < datetime.now(UTC)
    keys = [
        (s.provider, s.sku, s.region, s.unit, s.qualifier, s.service_tier, s.context_from, s.schedule, s.effective_from)
        for s in reading.statements
    ]
    assert len(keys) == len(set(keys))
    for statement in reading.statements:
        assert statement.amount >= 0
        assert statement.schedule == "" or schedules.parse(statement.schedule).text == statement.schedule
        assert (
            statement.effective_until is None
            or statement.effective_from is None
            or (statement.effective_from < statement.effective_until)
        )


def test_nothing_of_the_installed_packages_is_dropped_without_being_counted():
    """Every price object of genai-prices and every rate of model-prices is a statement or a count by kind."""
    from genai_prices.data import providers
    from genai_prices.types import ConditionalPrice, TieredPrices

    reading = all_sources()["genai_prices"].parse(all_sources()["genai_prices"].bundled().body)
    stated = 0
    for provider in providers:
        for model in provider.models:
            plain = model.prices if isinstance(model.prices, list) else [ConditionalPrice(None, prices=model.prices)]
            groups = {}
            for entry in plain:
                window = hasattr(entry.constraint, "start_time")
                # Equal prices of several daily windows are one schedule.
                groups[(window, str(vars(entry.prices)) if window else id(entry))] = entry
            for entry in [*groups.values(), *(model.price_variants or [])]:
                for price in vars(entry.prices).values():
                    stated += 1 + (len(price.tiers) if isinstance(price, TieredPrices) else 0)
    unplaced = sum(count for kind, count in reading.unplaced.items() if kind.startswith(("price of", "variant")))
    assert len(reading.statements) + unplaced == stated


@pytest.mark.parametrize("amount", ["ten", "0x10", "", "1.0.0"])
def test_an_amount_that_is_no_number_is_a_layout_nobody_knows(amount):
    snapshot = json.loads(recorded_body("model_prices"))
    snapshot["prices"]["deepseek"]["deepseek-flash"]["standard"][0]["rates"]["output"] = amount
    with pytest.raises(SourceError, match="not a model-prices snapshot"):
        all_sources()["model_prices"].parse(json.dumps(snapshot).encode())


def test_amounts_are_read_as_written():
    model = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 0.1}}
    body = json.dumps([{"id": "x", "name": "X", "models": [model]}])
    (statement,) = all_sources()["genai_prices"].parse(body.encode()).statements
    assert statement.amount == Decimal("0.1")
