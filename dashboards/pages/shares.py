"""What one project spent by key, user, team, path or branch: the parts of the chosen dimension. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from dashboards.pages.ledger import NOTHING, ZERO, Row, Sums, records_url
from dashboards.pages.parts import added_up
from dashboards.pages.periods import Span
from dashboards.pages.records import DIMENSIONS

SHOWN = 12


@dataclass(frozen=True)
class Share:
    """One value of the chosen dimension; '' was not reported. `spent` is exact, `cost` as it is read: these add up to
    the whole as it is read. None is unknown."""

    name: str
    spent: Decimal | None
    cost: Decimal | None
    of_cost: Decimal
    n: int
    tokens: int
    url: str


@dataclass(frozen=True)
class _Value:
    """Of one value: what was spent, the records that give the money and those that tell of the usage, its tokens."""

    spent: Decimal | None = None
    paid: int = 0
    told: int = 0
    tokens: int = 0

    def with_row(self, row: Row) -> _Value:
        spent = self.spent if row["spent"] is None else (self.spent or ZERO) + row["spent"]
        return _Value(spent, self.paid + row["paid"], self.told + row["told"], self.tokens + row["tokens"])


def choices(rows: Sequence[Row], by: str) -> list[tuple[str, str]]:
    """The dimensions any row reports, and the chosen one, with what they are called."""
    return [
        (name, label)
        for name, (column, label) in DIMENSIONS.items()
        if name == by or any(row[f"key_{column}"] for row in rows)
    ]


def telling(rows: Sequence[Row]) -> str:
    """The first dimension that tells usage apart; the key where none does."""
    for name in ("user", "team", "path", "branch", "key"):
        if len({row[f"key_{DIMENSIONS[name][0]}"] for row in rows}) > 1:
            return name
    return "key"


def shares(rows: Sequence[Row], by: str, currency: str, span: Span, project: str) -> tuple[list[Share], Share | None]:
    """The values of a dimension by cost, and what is beyond the first twelve."""
    column = f"key_{DIMENSIONS[by][0]}"
    values: dict[str, _Value] = {}
    for row in rows:
        if row["currency"] in {"", currency}:
            values[row[column]] = values.get(row[column], _Value()).with_row(row)
    whole = sum((value.spent for value in values.values() if value.spent is not None), ZERO)
    order = sorted(values.items(), key=lambda pair: (-(pair[1].spent or ZERO), -pair[1].tokens, pair[0]))
    rounded = added_up([NOTHING if value.spent is None else Sums(cost=value.spent) for _, value in order])
    found = [
        Share(
            name or "not reported",
            value.spent,
            None if value.spent is None else shown,
            whole,
            value.paid or value.told,
            value.tokens,
            # Where another feed gives the money, these rows are opened by the tokens they tell of.
            f"{records_url(span, project=project, measure='' if value.paid else 'tokens')}&{urlencode({by: name})}",
        )
        for (name, value), shown in zip(order, rounded, strict=True)
    ]
    rest = found[SHOWN:]
    if not rest:
        return found, None
    return found[:SHOWN], Share(
        f"{len(rest)} more",
        sum((share.spent for share in rest if share.spent is not None), ZERO),
        sum((share.cost for share in rest if share.cost is not None), ZERO),
        whole,
        sum(share.n for share in rest),
        sum(share.tokens for share in rest),
        records_url(span, project=project),
    )
