"""Sums of rollup rows in one currency: exact, and unknown where nothing is known.

A row is a dict as `sums_by` gives it. List and contracted cost leave notional usage out and hold it apart. Other
currencies enter at the rate of their day; without one they stay out and are told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from operator import add as plus
from operator import itemgetter
from operator import sub as minus
from typing import Any

from usage.exchange import Rates, days_of
from usage.models import Organisation
from usage.querysets import CURRENCIES, MEASURES, NOTIONAL, OF_MONEY
from usage.questions import TOKENS

_COUNTS = tuple(name for name in MEASURES if name != "spent" and not name.endswith("_cost"))
_MONEY = ("list_cost", "contracted_cost", "reported_cost", "spent", "notional_cost")
_PARTIAL = tuple(f"partial_{name}" for name in TOKENS)
"""Records with a list price that do not know this count of theirs: list cost is that of the others."""
_KNOWN = ("costed", "priced", "reported", "notional_priced", "paid_records", "notional_records", *_PARTIAL)
_AT = {name: n for n, name in enumerate((*_COUNTS, *_MONEY, *_KNOWN))}
_COUNTED = itemgetter(*(f"sum_{name}" for name in _COUNTS))
_PAID = itemgetter(*(f"sum_{name}" for name in _MONEY[:4]))
_OF_PAID = itemgetter("sum_spent_records", "sum_priced_records", "sum_reported_records")
_UNKNOWN_TOKENS = itemgetter(*(f"sum_unknown_{name}" for name in TOKENS))
_NO_PARTIAL = (0,) * len(TOKENS)
_ZERO = Decimal(0)
_NOTHING = [0] * len(_COUNTS) + [_ZERO] * len(_MONEY) + [0] * len(_KNOWN)
Row = dict[str, Any]
Part = Sequence[Any]
"""Numbers in the order of `_AT`."""


class Sums:
    """Measures of one group, money by kind in the display currency. Numbers in one row, so that adding is cheap: an
    answer by model and week is thousands of them."""

    __slots__ = ("_of",)

    def __init__(self, part: Part | None = None, **known: Any) -> None:
        self._of = list(_NOTHING if part is None else part)
        for name, number in known.items():
            self._of[_AT[name]] = number

    def add(self, part: Part) -> None:
        self._of = list(map(plus, self._of, part))

    def less(self, other: Sums) -> Sums:
        """What it is more than another."""
        return Sums(list(map(minus, self._of, other._of)))

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Sums:
        """What parts come to: column by column, which is half of adding one after the other."""
        return cls(parts[0] if len(parts) == 1 else list(map(sum, zip(*parts, strict=True))))

    @property
    def part(self) -> Part:
        """What it adds to other sums."""
        return self._of

    def money(self) -> dict[str, str | None]:
        """Every kind of money as text; None where records exist and none of them has that cost."""
        of = self._of
        untold = _OF_TOKENS if self._is_money_alone else ()
        return {
            # A split may leave a project money of a record whose count of one went to another project.
            name: f"{of[at]:f}" if name not in untold and (of[at] or of[known] or not of[records]) else None
            for name, at, known, records in _EACH_AMOUNT
        }

    def amount(self, kind: str) -> Decimal | None:
        """One kind of money; None as in `money`."""
        at, known, records = _AMOUNTS[kind]
        amount: Decimal = self._of[at]
        if kind in _OF_TOKENS and self._is_money_alone:
            return None
        return None if not amount and self._of[records] and not self._of[known] else amount

    def usage(self) -> dict[str, int | None]:
        """Requests and tokens; None where no record knows its own."""
        of, records = self._of, self._of[_RECORDS]
        if self._is_money_alone:
            return dict.fromkeys((name for name, *_ in _USAGE), None)
        return {
            # A split may leave a project a count of a record that another project is given.
            name: None if not (count := of[at]) and records and of[unknown] >= records else count
            for name, at, unknown in _USAGE
        }

    @property
    def _is_money_alone(self) -> bool:
        """Whether its feeds give money and nobody tells of the usage, as of a day restated in part: that is unknown."""
        of = self._of
        return not of[_RECORDS] and bool(of[_COSTED] or of[_SPENT]) and not any(_TOLD(of))

    def count(self, name: str) -> int:
        """The sum of a measure that is no money."""
        found: int = self._of[_AT[name]]
        return found

    def figures(self) -> dict[str, Any]:
        """`usage`, `money` and what is unpriced, in one: an answer by model and week asks it thousands of times."""
        of = self._of
        records = of[_RECORDS]
        if not records:
            found: dict[str, Any] = {**self.usage(), **self.money()}
        else:
            found = {name: of[at] if of[at] or of[unknown] < records else None for name, at, unknown in _USAGE}
            for name, at, known, having in _EACH_AMOUNT:
                amount = of[at]
                found[name] = f"{amount:f}" if amount or of[known] or not of[having] else None
        for name, at in _UNPRICED:
            found[name] = of[at]
        return found

    @property
    def tokens(self) -> int:
        return sum(self.count(name) for name in TOKENS)

    @property
    def is_something(self) -> bool:
        """Whether any figure of it is more than nothing."""
        return any(self._of)

    @property
    def list_cost(self) -> Decimal:
        return self._money("list_cost")

    @property
    def contracted_cost(self) -> Decimal:
        return self._money("contracted_cost")

    @property
    def reported_cost(self) -> Decimal:
        return self._money("reported_cost")

    @property
    def notional_cost(self) -> Decimal:
        return self._money("notional_cost")

    @property
    def spent(self) -> Decimal:
        return self._money("spent")

    def _money(self, name: str) -> Decimal:
        found: Decimal = self._of[_AT[name]]
        return found


_AMOUNTS = {
    name: (_AT[amount], _AT[known], _AT[records])
    for name, (amount, known, records) in (
        ("list", ("list_cost", "priced", "paid_records")),
        ("contracted", ("contracted_cost", "priced", "paid_records")),
        ("reported", ("reported_cost", "reported", "paid_records")),
        ("notional", ("notional_cost", "notional_priced", "notional_records")),
        ("spent", ("spent", "costed", "paid_records")),
    )
}
"""Each kind of money, how many records have it, and of how many; as places."""
_OF_TOKENS = ("list", "contracted")
_EACH_AMOUNT = tuple((name, at, known, records) for name, (at, known, records) in _AMOUNTS.items())
_COSTED, _SPENT = _AT["costed"], _AT["spent"]
_TOLD = itemgetter(*(_AT[name] for name in (*_COUNTS, *_MONEY) if name not in OF_MONEY))
_RECORDS = _AT["records"]
_UNPRICED = tuple((name, _AT[name]) for name in ("unpriced_requests", "unpriced_tokens"))
_USAGE = tuple((name, _AT[name], _AT[f"unknown_{name}"]) for name in ("requests", *TOKENS))


def summed(organisation: Organisation, rows: Sequence[dict[str, Any]], *, as_closed: bool = True) -> Sums:
    """The sums of rows, each with its `key_day` where any is in another currency; `as_closed` as `Rates` has it."""
    foreign, total = is_foreign(rows, organisation.display_currency), Sums()
    rates = Rates(organisation, foreign, days_of(rows), as_closed=as_closed)
    for row in rows:
        add(row, (total,), rates, defaultdict(Decimal))
    return total


def is_foreign(rows: Sequence[dict[str, Any]], display: str) -> bool:
    """Whether any money of rows has to be converted."""
    told = set(map(itemgetter(*CURRENCIES), rows))
    return not {"", display}.issuperset(one for each in told for one in each)


def add(row: Row, targets: Sequence[Sums], rates: Rates, unconverted: defaultdict[str, Decimal]) -> None:
    """Add a row to sums; money that cannot be converted goes to `unconverted` instead."""
    part = part_of(row, rates, unconverted)
    for sums in targets:
        sums.add(part)


def part_of(row: Row, rates: Rates, unconverted: defaultdict[str, Decimal]) -> Part:
    """What a row adds to sums; money that cannot be converted goes to `unconverted` instead."""
    listed, said = row["list_currency"], row["currency"]
    # A split may leave a project tokens without a price, and none of the count of one.
    records = row["sum_records"] or (1 if row["sum_unpriced_tokens"] else 0)
    # Only what has a price has its currency, and no row holds other records beside these.
    partial = _UNKNOWN_TOKENS(row) if listed else _NO_PARTIAL
    if row["cost_kind"] != NOTIONAL and rates.at_home(listed, said, row["spent_currency"]):
        return (*_COUNTED(row), *_PAID(row), _ZERO, *_OF_PAID(row), 0, records, 0, *partial)
    day = row.get("key_day")
    list_cost = rates.converted(row["sum_list_cost"], listed, day)
    reported_cost = rates.converted(row["sum_reported_cost"], said, day)
    if list_cost is None:
        unconverted[listed] += row["sum_list_cost"]
    if reported_cost is None:
        unconverted[said] += row["sum_reported_cost"]
    counts = _COUNTED(row)
    priced = 0 if list_cost is None else row["sum_priced_records"]
    if row["cost_kind"] == NOTIONAL:
        return (*counts, _ZERO, _ZERO, _ZERO, _ZERO, list_cost or _ZERO, 0, 0, 0, priced, 0, records, *_NO_PARTIAL)
    contracted_cost = rates.converted(row["sum_contracted_cost"], listed, day)
    spent = rates.converted(row["sum_spent"], row["spent_currency"], day)
    return (
        *counts,
        list_cost or _ZERO,
        contracted_cost or _ZERO,
        reported_cost or _ZERO,
        spent or _ZERO,
        _ZERO,
        0 if spent is None else row["sum_spent_records"],
        priced,
        0 if reported_cost is None else row["sum_reported_records"],
        0,
        records,
        0,
        *partial,
    )
