"""The ladder: its rungs, and what the models of a choice ask for the tokens of each on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from django.db.models import F, Max

from pricing.answers import kept
from pricing.answers.list_prices import Listed, listed
from pricing.frontier import CHAT_MIX, Rated, frontier, select
from pricing.ladder import Rung, cost, read_rungs, usual
from pricing.models import LanguageModel, Price, Score
from pricing.quality import rated

TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "ladder.csv"
RATING: Final = ("arena", "overall")
UNITS: Final = ("input", "output", "output_image")
CHOSEN_FOR: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Priced:
    """A model on the ladder: the offering whose prices count, None where none has a price of the chat's tokens."""

    slug: str
    name: str
    listed: Listed | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one rung costs with one model. `usd` None: unknown, and `reason` says why."""

    usd: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """`models` in the order asked for, then those that make images; `missing` are slugs of none. `credits` name who
    says the prices."""

    rungs: tuple[Rung, ...]
    models: tuple[Priced, ...]
    image_models: tuple[Priced, ...] = field(default=())
    missing: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()


@cache
def rungs() -> tuple[Rung, ...]:
    """The rungs that ship, in the order of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return read_rungs(file)


def ladder(slugs: Sequence[str], at: datetime) -> Ladder:
    """The rungs and the models at a moment: those asked for, else the usual ones. Four queries, six where it chooses.

    A model has the price that the frontier gives it: its maker's, else the cheapest host's. On the rung of an image the
    cheapest and the dearest that state a price of image tokens stand beside.
    """
    asked = list(slugs) or usual_models(at)
    found = {one.slug: one for one in LanguageModel.objects.filter(slug__in=asked)}
    sold = _by_model(listed(at, [one.pk for one in found.values()], UNITS))
    models = tuple(Priced(slug, found[slug].name, _chosen(slug, sold.get(slug, ()))) for slug in asked if slug in found)
    missing = tuple(slug for slug in slugs if slug not in found)
    images = _image_models(at)
    ids = [pk for one in (*models, *images) if one.listed for pk in one.listed.price_ids.values()]
    return Ladder(rungs(), models, images, missing, Price.objects.filter(pk__in=ids).credits())


def usual_models(at: datetime) -> list[str]:
    """Slugs of the models shown where nobody chose, kept for five minutes as it takes all ratings and their prices."""
    current, now = kept.recent_version(), datetime.now(tz=at.tzinfo)
    newest = Score.objects.aggregate(score=Max("pk")), Price.objects.aggregate(price=Max("pk"))
    key = ("usual models", at.date(), *(value for row in newest for value in row.values()))
    found: list[str] | None = kept.recall(key, current, now)
    if found is None:
        found = _usual(at)
        kept.keep(key, current, found, now + CHOSEN_FOR)
    return found


def _usual(at: datetime) -> list[str]:
    scores = list(Score.objects.as_of(*RATING, at.date()).filter(model__isnull=False).select_related("model"))
    sold = listed(at, {score.model_id for score in scores if score.model_id})
    chosen = select(rated(scores), [one.offer() for one in sold], CHAT_MIX)
    return usual(frontier(chosen.points), _dearest(at))


def _dearest(at: datetime) -> str:
    """Slug of the model whose own maker asks the most for its output; '' where no maker states a price. One query."""
    asked = (
        Price.objects.compared(at)
        .standard()
        .filter(unit="output", offering__provider__slug=F("offering__model__maker"))
    )
    per_token = asked.order_by((F("amount") / F("per")).desc(), "offering__model__slug")
    return per_token.values_list("offering__model__slug", flat=True).first() or ""


def _by_model(sold: Iterable[Listed]) -> dict[str, list[Listed]]:
    found: dict[str, list[Listed]] = {}
    for one in sold:
        found.setdefault(one.model, []).append(one)
    return found


def _chosen(slug: str, sold: Sequence[Listed]) -> Listed | None:
    """The offering that the frontier would take; a preview or a free one only where no other is."""
    selection = select([Rated(slug, slug, Decimal(0))], [one.offer() for one in sold], CHAT_MIX)
    points = [*selection.points, *selection.previews, *selection.free]
    if not points:
        return None
    key = (points[0].provider, points[0].sku, points[0].region)
    return next(one for one in sold if one.key == key)


def _image_models(at: datetime) -> tuple[Priced, ...]:
    """The cheapest and the dearest model, at its maker's, for the rung of an image."""
    image = next((rung for rung in rungs() if "output_image" in rung.tokens), None)
    if image is None:
        return ()
    makers = Price.objects.filter(unit="output_image", superseded_at=None).values_list("offering__model", flat=True)
    priced = [
        (usd, one)
        for one in listed(at, makers, UNITS)
        if one.provider == one.maker and (usd := step(image, one).usd) is not None and usd
    ]
    if not priced:
        return ()
    ends = [min(priced, key=lambda pair: (pair[0], pair[1].sku)), max(priced, key=lambda pair: (pair[0], pair[1].sku))]
    return tuple({one.model: Priced(one.model, one.model_name, one) for _, one in ends}.values())


def step(rung: Rung, one: Listed | None) -> Step:
    """What one answer costs at an offering, by the context tier its prompt reaches."""
    if one is None:
        return Step(None, "no seller states its prices in USD")
    needed = rung.prompt + rung.tokens.get("output", 0)
    if one.context_window is not None and needed > one.context_window:
        return Step(None, f"does not fit: {one.context_window:,} tokens of context")
    prices = one.prices_of(rung.prompt)
    lacking = [unit for unit, count in rung.tokens.items() if count and unit not in prices]
    if lacking:
        return Step(None, f"no price of {lacking[0].replace('_', ' ')} is stated")
    return Step(cost(rung.tokens, dict(prices)))
