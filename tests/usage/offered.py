"""Uses, offers and settings for the rules of recommending, each as plain as a test lets it be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from pricing.cost import CardKey, CardPrices, Tokens
from usage.advice import Side
from usage.substitution.needs import Needs
from usage.substitution.offers import Candidate, PricedCard, Rated
from usage.substitution.quality import Rating, Scores, Standards
from usage.substitution.setting import Setting
from usage.token_log import Slice, Use

TODAY = date(2026, 11, 16)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
MTOK = 1_000_000
_ids = count(1)


def make_card(
    *, since: datetime = LONG_AGO, until: datetime | None = None, context_from: int = 0, context_op: str = ">",
    schedule: str = "", currency: str = "USD", **per_mtok: str,
) -> PricedCard:  # fmt: skip
    """A card from prices per Mtok: `make_card(input="4", output="20")`."""
    prices = {unit: Decimal(amount) / MTOK for unit, amount in per_mtok.items()}
    key = CardKey(next(_ids), context_from, context_op if context_from else "", schedule, since, until)
    return PricedCard(key, CardPrices(currency, prices))


def make_offer(
    model: str, *cards: PricedCard, provider: str = "openai", tiers: Mapping[str, Iterable[PricedCard]] | None = None,
    region: str = "", effort: str = "", sku: str = "", **traits: Any,
) -> Candidate:  # fmt: skip
    """A model at a provider; positional cards are of the standard tier."""
    side = Side(next(_ids), model, model.upper(), provider, provider.title(), sku or model, region, effort=effort)
    by_tier = {"standard": tuple(cards)} if cards else {}
    by_tier |= {tier: tuple(own) for tier, own in (tiers or {}).items()}
    known: dict[str, Any] = {"context_window": 400_000, "rates": {"USD": Decimal(1)}, "maker": provider}
    return Candidate(side, by_tier, **(known | traits))


def make_use(
    *, input: int = 400 * MTOK, output: int = 70 * MTOK, requests: int | None = 100_000, tier: str = "standard",
    slices: tuple[Slice, ...] = (), spent: str | None = None, p99: int | None = 20_000, longest: int | None = None,
    **more: Any,
) -> Use:  # fmt: skip
    tokens = Tokens(input=input, output=output, **more)
    return Use(
        1, tier, tokens, requests, Decimal(spent) if spent else None, None, slices, requests or 0, p99, longest
    )  # fmt: skip


def make_rating(value: float, *, half: float = 5.0, votes: int | None = 20_000, name: str = "Arena coding") -> Rating:
    """A rating with its published 95 % interval of ± half."""
    low, high = Decimal(str(value - half)), Decimal(str(value + half))
    return Rating("arena", name, Decimal(str(value)), low, high, votes, date(2026, 10, 20), "https://lmarena.ai")


def make_setting(
    ratings: Mapping[str | Rated, Rating] | None = None, *, needs: Needs | None = None, days: int = 30,
    margin: str = "15", floor: str | None = None, **more: Any,
) -> Setting:  # fmt: skip
    """Ratings by model or by model and effort."""
    arena = {Rated(one) if isinstance(one, str) else one: rating for one, rating in (ratings or {}).items()}
    scores = more.pop("scores", None) or Scores(arena=arena)
    standards = Standards(Decimal(margin), Decimal("0.03"), Decimal(floor) if floor else None, "coding")
    return Setting(TODAY, days, "USD", needs or Needs(), standards, scores, **more)
