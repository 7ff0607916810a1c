"""From ratings and list prices to the page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from dashboards.market import Sold
from dashboards.pages.asked import blend_url, first_day
from dashboards.pages.quality import words
from dashboards.pages.quality.asked import Ask, name_of
from dashboards.pages.quality.rows import SORTS, Ending, QualityPage, Row, ScoreRow, Undrawn
from dashboards.pages.quality.words import REASONS, finding, short
from pricing.frontier import (
    Frontier,
    Point,
    Unmatched,
    blend,
    frontier,
    select,
)


def narrowed(ask: Ask, scores: Iterable[ScoreRow]) -> list[ScoreRow]:
    """The ratings asked for. What is not known to be open, or of the maker, is not taken to be."""
    return [
        score
        for score in scores
        if (not ask.maker or score.maker == ask.maker)
        and (not ask.weights or score.open_weights)
        and (not ask.effort or score.rated.effort == _effort(ask.effort))
    ]


def _effort(asked: str) -> str:
    return "" if asked == "none" else asked


def compose(
    ask: Ask, scores: Sequence[ScoreRow], offerings: Sequence[Sold], *, asked_at: datetime,
    upcoming: Iterable[tuple[int, str, Decimal, datetime]] = (), unrated: int = 0, rated_on: date | None = None,
) -> QualityPage:  # fmt: skip
    """The page for a state, from all ratings of the category and all offerings of the rated models.

    `upcoming` are list prices that begin later: (offering, unit, USD per Mtok, from when), earliest first.
    """
    taken = narrowed(ask, scores)
    selection = select([score.rated for score in taken], [one.offer() for one in offerings], ask.mix)
    edge = frontier(selection.points)
    names: dict[str | None, ScoreRow] = {score.rated.model: score for score in taken if score.rated.model}
    sold_by_key = {one.key: one for one in offerings}
    rows = _rows(ask, edge, names, sold_by_key)

    def evidence(point: Point) -> str:
        return _blend_url(ask, sold_by_key, point)

    best_first = sorted(rows, key=SORTS["rating"])
    shown = [row for row in rows if not ask.q or row.is_asked]
    return QualityPage(
        ask=ask,
        finding=finding(edge, ask, evidence),
        title=words.title(edge, len(rows)),
        table_title=words.table_title(edge),
        scope=words.scope(ask, len(rows), len(taken), asked_at, rated_on),
        frontier=edge,
        rows=tuple(sorted(shown, key=SORTS[ask.sort or "rating"])),
        all_rows=tuple(best_first),
        frontier_rows=tuple(row for row in best_first if row.on_frontier),
        free=selection.free,
        undrawn=_undrawn(selection.unmatched),
        endings=_endings(ask, edge, sold_by_key, upcoming),
        unrated=unrated,
        note=words.note(ask, rows, len(selection.unmatched) + len(selection.free)),
        care=words.care(edge),
        rated_on=rated_on,
    )


def _rows(
    ask: Ask, edge: Frontier, names: Mapping[str | None, ScoreRow], sold_by_key: Mapping[tuple[str, str, str], Sold]
) -> list[Row]:
    best = edge.best.rating if edge.best else Decimal(0)
    of_frontier = [(point, point, Decimal(1)) for point in edge.points]
    others = [(one.point, one.cheapest_equal, one.multiple) for one in edge.dominated]
    words = ask.q.lower().split()
    rows = []
    for point, cheapest, ratio in [*of_frontier, *others]:
        one = sold_by_key[(point.provider, point.sku, point.region)]
        maker = name_of(names[point.model].maker)
        about = f"{point.label} {point.model} {maker} {point.effort}".lower()
        rows.append(
            Row(
                point, names[point.model].model_name, maker, one.provider_name, one.price_ids, point is cheapest,
                cheapest, ratio, point.rating - best, bool(words) and all(word in about for word in words),
                one.has_peak_prices, one.dearer_from, _blend_url(ask, sold_by_key, point),
                "" if point is cheapest else _blend_url(ask, sold_by_key, point, cheapest),
            )
        )  # fmt: skip
    return rows


def _blend_url(
    ask: Ask, sold_by_key: Mapping[tuple[str, str, str], Sold], point: Point, against: Point | None = None
) -> str:
    """What a point's price was worked out from; what it is a multiple of beside it."""
    other = sold_by_key[(against.provider, against.sku, against.region)].offering_id if against else None
    own = sold_by_key[(point.provider, point.sku, point.region)].offering_id
    return blend_url(point.model, own, ask.mix, at=ask.at, against=other)


def _undrawn(unmatched: Iterable[Unmatched]) -> tuple[Undrawn, ...]:
    names: dict[str, list[str]] = {}
    for one in unmatched:
        names.setdefault(one.reason, []).append(one.display_name)
    counted = Counter({reason: len(found) for reason, found in names.items()})
    return tuple(Undrawn(REASONS.get(reason, reason), tuple(names[reason])) for reason, _ in counted.most_common())


def _endings(
    ask: Ask, edge: Frontier, sold_by_key: Mapping[tuple[str, str, str], Sold],
    upcoming: Iterable[tuple[int, str, Decimal, datetime]],
) -> tuple[Ending, ...]:  # fmt: skip
    changes: dict[tuple[datetime, int], dict[str, Decimal]] = {}
    for offering, unit, usd, begins in upcoming:
        changes.setdefault((begins, offering), {})[unit] = usd
    points = [*edge.points, *(one.point for one in edge.dominated)]
    by_offering: dict[int, list[Point]] = {}
    for point in points:
        by_offering.setdefault(sold_by_key[(point.provider, point.sku, point.region)].offering_id, []).append(point)
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
