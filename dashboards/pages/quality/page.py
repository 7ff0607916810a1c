"""From a curve to the page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from dashboards.pages.asked import blend_url, first_day
from dashboards.pages.quality import words
from dashboards.pages.quality.asked import Ask, name_of
from dashboards.pages.quality.rows import SORTS, Ending, QualityPage, Row, SellerRow, Undrawn
from dashboards.pages.quality.words import REASONS, finding, short
from pricing.frontier import Band, Curve, Frontier, Offer, Point, Priced, Rated, Traits, Unmatched, blend, frontier
from pricing.frontier import multiple as ratio_of

Upcoming = tuple[int, str, Decimal, datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """What the page is made of: a curve, the ratings and offers it was drawn from, and what is known of the models.

    `rated_on` is the day of the newest rating. `upcoming` are list prices that begin later: (offering, unit, USD per
    Mtok, from when), earliest first. `unrated` counts models with a price and no rating. `usage` says in words what a
    project's mix was read from, `credits` who says the prices.
    """

    curve: Curve
    scores: Sequence[Rated] = ()
    offers: Sequence[Offer] = ()
    models: Mapping[str, Traits] = field(default_factory=dict)
    rated_on: date | None = None
    upcoming: Sequence[Upcoming] = ()
    unrated: int = 0
    usage: str = ""
    credits: Sequence[str] = ()


def compose(ask: Ask, found: Found, *, asked_at: datetime) -> QualityPage:
    """The page for a state."""
    own = found.curve
    edge, selection = own.frontier, own.selection
    decimals = words.decimals(edge)
    rows = _rows(ask, edge, found.models, own.band, decimals)

    def evidence(point: Point) -> str:
        return _blend_url(ask, point)

    best_first = sorted(rows, key=SORTS["rating"])
    shown = [row for row in rows if not ask.q or row.is_asked]
    undrawn = _undrawn(selection.unmatched)
    left_out = tuple(Undrawn(words.left_out(wish, len(names)), names) for wish, names in own.left_out.items())
    apart = len(selection.unmatched) + len(selection.free) + len(selection.previews)
    return QualityPage(
        ask=ask,
        finding=words.near(own.band, ask, evidence) if own.band else finding(edge, ask, evidence),
        title=words.title(edge, len(rows)),
        table_title=words.table_title(edge),
        scope=words.scope(
            ask, len(rows), len(rows) + apart, asked_at, found.rated_on, found.usage, [one.reason for one in left_out]
        ),
        frontier=edge,
        rows=tuple(sorted(shown, key=SORTS[ask.sort or "rating"])),
        all_rows=tuple(best_first),
        frontier_rows=tuple(row for row in best_first if row.on_frontier),
        free=selection.free,
        previews=selection.previews,
        undrawn=undrawn,
        endings=() if ask.is_measured else _endings(ask, edge, found.upcoming),
        unrated=found.unrated,
        note=words.note(ask, rows, apart, found.credits),
        care=words.care(ask, edge, own.band),
        rated_on=found.rated_on,
        left_out=left_out,
        band=own.band,
        sellers=_sellers(ask, own.sellers),
        sold=found.models[own.sold].name if own.sold in found.models else own.sold,
        decimals_of_ratings=decimals,
    )


def _rows(ask: Ask, edge: Frontier, models: Mapping[str, Traits], band: Band | None, decimals: int) -> list[Row]:
    best = edge.best.rating if edge.best else Decimal(0)
    of_frontier = [(point, point, Decimal(1)) for point in edge.points]
    others = [(one.point, one.cheapest_equal, one.multiple) for one in edge.dominated]
    asked = ask.q.lower().split()
    places = _places(band)
    rows = []
    for point, cheapest, ratio in [*of_frontier, *others]:
        traits = models.get(point.model)
        maker = name_of(traits.maker if traits else "")
        about = f"{point.label} {point.model} {maker} {point.effort}".lower()
        rows.append(
            Row(
                point, maker, point is cheapest, cheapest, ratio, point.rating - best,
                bool(asked) and all(word in about for word in asked), decimals, places.get(point.key, ""),
                _blend_url(ask, point), "" if point is cheapest else _blend_url(ask, point, cheapest),
            )
        )  # fmt: skip
    return rows


def _places(band: Band | None) -> dict[str, str]:
    if band is None:
        return {}
    places = {point.key: "inside" for point in band.inside}
    places |= {point.key: "tie" for point in band.inside if point.price == band.inside[0].price}
    if band.cheapest and not (band.own and band.own.price == band.cheapest.price):
        places[band.cheapest.key] = "cheapest"
    return places | {band.of.key: "chosen"}


def _blend_url(ask: Ask, point: Point, against: Point | None = None) -> str:
    """What a point's price was worked out from; what it is a multiple of beside it. '' for a measured one."""
    if point.offer is None:
        return ""
    other = against.offer.offering_id if against and against.offer else None
    return blend_url(point.model, point.offer.offering_id, ask.mix, at=ask.at, against=other)


def _sellers(ask: Ask, priced: Sequence[Priced]) -> tuple[SellerRow, ...]:
    return tuple(
        SellerRow(
            offer.provider_name, offer.sku, offer.region, price,
            blend_url(offer.model, offer.offering_id, ask.mix, at=ask.at), offer.first_party,
            ratio_of(price, priced[0][0]),
        )
        for price, offer in priced
    )  # fmt: skip


def _undrawn(unmatched: Iterable[Unmatched]) -> tuple[Undrawn, ...]:
    names: dict[str, list[str]] = {}
    for one in unmatched:
        names.setdefault(one.reason, []).append(one.display_name)
    counted = Counter({reason: len(found) for reason, found in names.items()})
    return tuple(Undrawn(REASONS.get(reason, reason), tuple(names[reason])) for reason, _ in counted.most_common())


def _endings(ask: Ask, edge: Frontier, upcoming: Iterable[Upcoming]) -> tuple[Ending, ...]:
    changes: dict[tuple[datetime, int], dict[str, Decimal]] = {}
    for offering, unit, usd, begins in upcoming:
        changes.setdefault((begins, offering), {})[unit] = usd
    points = edge.every
    by_offering: dict[int, list[Point]] = {}
    for point in points:
        by_offering.setdefault(point.offer.offering_id if point.offer else 0, []).append(point)
    found = []
    held: dict[int, tuple[Mapping[str, Decimal | None], date | None]] = {}
    for (begins, offering), units in sorted(changes.items(), key=lambda item: item[0]):
        for point in by_offering.get(offering, ())[:1]:
            before, since = held.get(offering, (point.usd_per_mtok_by_unit, ask.at))
            after, until = {**before, **units}, first_day(begins)
            held[offering] = after, until
            now, then = blend(before, ask.mix), blend(after, ask.mix)
            if now is None or then is None or then == now:
                continue
            found.append(
                Ending(
                    begins, short(point.label), point.model, now, blend_url(point.model, offering, ask.mix, at=since),
                    then, blend_url(point.model, offering, ask.mix, at=until), _stays(points, point, then),
                )
            )  # fmt: skip
    return tuple(found)


def _stays(points: Sequence[Point], point: Point, then: Decimal) -> str:
    """Whether the change moves the point on or off the frontier, all else equal."""
    if not then:
        return ""
    before = point in frontier(points).points
    moved = [replace(other, price=then) if other is point else other for other in points]
    after = any(other.key == point.key for other in frontier(moved).points)
    if before and after:
        return "It stays on the frontier."
    if before:
        return "It leaves the frontier."
    return "It joins the frontier." if after else ""
