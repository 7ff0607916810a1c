"""Which model buys a rating for the least money: blended prices, the Pareto frontier, what lies off it.

Pure: plain values in, plain values out, no ORM, exact `Decimal` throughout. Prices are USD per million
tokens (Mtok) or per task, ratings are in the benchmark's own points, a higher rating is better.

The order of work is `select` (ratings + offers + token mix -> points with one price each) and then
`frontier` (points -> which of them nothing beats, and for every other one what does); `curve` does both and what a
reader may want beside them.
"""

from pricing.frontier.curve import AXES, LIST, MEASURED, PLAIN, Band, Curve, Wish, band, curve, default_delta
from pricing.frontier.mix import BATCH, CHAT_MIX, GRAIN, Mix, blend, stated
from pricing.frontier.offers import Offer, Priced, Traits, sellers
from pricing.frontier.points import Dominated, Frontier, Point, frontier, multiple
from pricing.frontier.selecting import (
    NOT_MATCHED,
    NOT_MEASURED,
    NOT_PRICED,
    NOT_SOLD,
    NOT_YET_SOLD,
    SAME_POINT,
    Rated,
    Selection,
    Terms,
    Unmatched,
    points,
    select,
    select_measured,
)
from pricing.frontier.wanted import Narrowed, Wanted, narrowed

__all__ = [
    "AXES", "BATCH", "CHAT_MIX", "GRAIN", "LIST", "MEASURED", "NOT_MATCHED", "NOT_MEASURED", "NOT_PRICED", "NOT_SOLD",
    "NOT_YET_SOLD", "PLAIN", "SAME_POINT", "Band", "Curve", "Dominated", "Frontier", "Mix", "Narrowed", "Offer",
    "Point", "Priced", "Rated", "Selection", "Terms", "Traits", "Unmatched", "Wanted", "Wish", "band", "blend", "curve",
    "default_delta", "frontier", "multiple", "narrowed", "points", "select", "select_measured", "sellers", "stated",
]  # fmt: skip
