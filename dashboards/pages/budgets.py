"""What is shown of budgets: a tile, a row each, and the sentence above them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words, records_url
from dashboards.pages.parts import Tile
from dashboards.pages.periods import Span
from usage.models import Budget
from usage.pacing import Pace

DAY = timedelta(days=1)
PAGE = "/budgets"
_KINDS = {1: "month", 3: "quarter", 12: "year"}


@dataclass(frozen=True)
class Row:
    """A budget that holds today with its pace; `url` are the records behind what is spent."""

    budget: Budget
    scope: str
    pace: Pace
    url: str
    verdict: str
    tone: str
    """`over`, `ahead` (of its forecast) or ''."""

    @property
    def used(self) -> str:
        return formatting.share(self.pace.spent, self.pace.amount)

    @property
    def notes(self) -> str:
        return unknown_words(self.pace)


def row(budget: Budget, pace: Pace) -> Row:
    scope = pace.scope[0].upper() + pace.scope[1:]
    tone = "over" if pace.is_over else "ahead" if pace.will_be_over else ""
    return Row(budget, scope, pace, _records(budget, pace), verdict(pace), tone)


def tile(pace: Pace, **filters: object) -> Tile:
    """A budget as a stat tile: spent so far, where it ends, the grey rule with a tick for today."""
    span = Span(pace.since, min(pace.on + DAY, pace.until))
    return Tile(
        f"{period_words(pace)} to date",
        formatting.money_in_prose(pace.spent, pace.currency),
        records_url(span, **filters),
        words=(*_ahead(pace, PAGE), Figure(f"{formatting.short_money(pace.amount, pace.currency)} budget", PAGE)),
        said=(f"{formatting.share(pace.spent, pace.amount)} of budget used, {_gone(pace)}{unknown_words(pace)}",),
        pace=(pace.share, pace.gone),
    )


def forecast_words(pace: Pace) -> str:
    """`$46.1k–49.5k`, or why there is none."""
    if pace.low is None or pace.high is None:
        return "too little history"
    return formatting.money_range(pace.low, pace.high, currency=pace.currency)


def verdict(pace: Pace) -> str:
    """What becomes of the budget, in a sentence."""
    if pace.is_over:
        since = f" since {formatting.day(pace.exceeded_on)}" if pace.exceeded_on else ""
        return f"Over{since} by {formatting.money_in_prose(pace.spent - pace.amount, pace.currency)}."
    if pace.forecast is None:
        return "Too little history for a forecast: three complete weeks of usage are needed."
    if pace.will_be_over and pace.exceeded_on is not None:
        over = formatting.short_money(pace.forecast.middle - pace.amount, pace.currency)
        return f"Will be exceeded on {formatting.day(pace.exceeded_on)}, by about {over} at the end."
    if pace.may_be_over:
        return "Within the budget, though part of the forecast lies above it."
    return "Within the budget."


def finding(rows: Sequence[Row], organisation: str) -> Words:
    """The page in a sentence: the worst budget, else where the whole leads."""
    if not rows:
        return (f"{organisation} has no budget that holds today.",)
    over = [one for one in rows if one.tone == "over"]
    ahead = [one for one in rows if one.tone == "ahead"]
    if over:
        names = over[0].scope if len(over) == 1 else f"{len(over)} budgets"
        return (f"{names} {'is' if len(over) == 1 else 'are'} over{_budget_words(over)}.", *_next(ahead))
    if ahead:
        return _next(ahead)
    one = rows[0]
    if one.pace.low is None:
        return (f"{one.scope}: {_used(one)} of the budget is used, {_gone(one.pace)}.",)
    amount = formatting.money_in_prose(one.pace.amount, one.pace.currency)
    scope = organisation if one.budget.project_id is None and not one.budget.cost_centre else one.scope
    return (f"{scope} will spend {forecast_words(one.pace)} of its {amount} {_within(one.pace)}.",)


def _next(ahead: Sequence[Row]) -> Words:
    if not ahead:
        return ()
    first = min(ahead, key=lambda one: one.pace.exceeded_on or date.max)
    more = f", and {len(ahead) - 1} more later" if len(ahead) > 1 else ""
    when = f" on {formatting.day(first.pace.exceeded_on)}" if first.pace.exceeded_on else ""
    return (f" {first.scope} will be over its budget{when}{more}.",)


def _budget_words(over: Sequence[Row]) -> str:
    return " its budget" if len(over) == 1 else ""


def _used(one: Row) -> str:
    return formatting.share(one.pace.spent, one.pace.amount)


def _ahead(pace: Pace, url: str) -> Words:
    if pace.low is None:
        return ("Too little history to foretell; ",)
    forecast = Figure(forecast_words(pace), url)
    if pace.is_over:
        since = f"Over since {formatting.day(pace.exceeded_on)}" if pace.exceeded_on else "Over"
        return (f"{since}: forecast ", forecast, " of ")
    return ("Forecast ", forecast, " of ")


def _gone(pace: Pace) -> str:
    return f"{formatting.rounded(pace.gone * 100, 0)}% of the {_KINDS[_months(pace)]} gone"


def unknown_words(pace: Pace) -> str:
    """What the spend does not contain, for the end of a line."""
    said = f", {formatting.mtok(pace.unknown_tokens)} Mtok unknown" if pace.unknown_tokens else ""
    return said + (f", without {', '.join(pace.unconverted)} that has no rate" if pace.unconverted else "")


def period_words(pace: Pace) -> str:
    """`November`, `4th quarter`, `2026`."""
    if _months(pace) == 1:
        return f"{pace.since:%B}"
    nth = {1: "1st", 4: "2nd", 7: "3rd", 10: "4th"}
    return f"{nth[pace.since.month]} quarter" if _months(pace) == 3 else f"{pace.since.year}"


def _months(pace: Pace) -> int:
    return (pace.until.year - pace.since.year) * 12 + pace.until.month - pace.since.month


def _within(pace: Pace) -> str:
    words = period_words(pace)
    return f"in the {words}" if "quarter" in words else f"in {words}"


def _records(budget: Budget, pace: Pace) -> str:
    """The records behind what is spent; of a cost centre the explorer has none that could be named in an address."""
    span = Span(pace.since, min(pace.on + DAY, pace.until))
    if budget.cost_centre:
        return ""
    return records_url(span, project=budget.project.slug if budget.project else None)


def described(budget: Budget) -> dict[str, str]:
    """The fields that matter, for the audit log."""
    found = {
        "project": budget.project, "cost_centre": budget.cost_centre, "amount": f"{budget.amount.normalize():f}",
        "currency": budget.currency, "period": budget.period, "effective_from": budget.effective_from,
        "effective_until": budget.effective_until,
    }  # fmt: skip
    return {name: str(value) for name, value in found.items() if value not in (None, "")}
