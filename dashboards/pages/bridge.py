"""Why spend changed, as a page: its finding, the bars between two spans, and what made each of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.charts.waterfall import Step
from pricing.providers import declared
from usage.questions import NOBODY, Question

PATH = "/spend/bridge"
FEW = 5
"""Items of a part that the page names."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a part is called, on a phone too, and how a sentence says that it added or took off."""

    name: str
    short: str
    added: str
    took: str
    means: str


WORDS: Mapping[str, Words] = {
    "price": Words("Price changes", "Prices", "dearer prices", "lower prices", "What sellers changed"),
    "exchange": Words("Exchange rates", "Exchange", "exchange rates", "exchange rates", "Prices in other currencies"),
    "volume": Words("Volume", "Volume", "more tokens", "fewer tokens", "More or fewer tokens, all else equal"),
    "models": Words("Model mix", "Models", "a dearer mix of models", "a cheaper mix of models",
                    "Other models for the work"),
    "sellers": Words("Sellers, regions and tiers", "Sellers", "dearer sellers or tiers", "cheaper sellers or tiers",
                     "The same model bought elsewhere, or as batch"),
    "output": Words("Output share", "Output", "more output per input", "less output per input",
                    "Verbosity: output for the same input"),
    "cache": Words("Cache share", "Cache", "less from the cache", "a larger cached share",
                   "Cached input, cache writes and reasoning among their kind"),
    "new": Words("New projects", "New", "new projects", "new projects", "Used nothing in the days before"),
    "ended": Words("Ended projects", "Ended", "projects that ended", "projects that ended",
                   "Used nothing in the later days"),
    "unknown": Words("Prices found or lost", "Unknown", "prices that became known", "prices no longer known",
                     "Money of what has a price on one side only"),
    "corrections": Words("Corrections", "Corrected", "corrections of closed months", "corrections of closed months",
                         "Closed months at prices that were corrected since"),
    "rated": Words("Long prompts and hours", "Rating", "long prompts and dear hours",
                   "fewer long prompts or dear hours", "What a plain price does not know"),
    "reported": Words("Bills beyond the tokens", "Bills", "bills beyond the tokens", "bills below the tokens",
                      "What feeds report that prices do not explain"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    sold: str
    amount: Decimal
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A part: `shown` adds up as read, `items` and `others` are exact."""

    part: str
    words: Words
    amount: Decimal
    shown: Decimal
    items: tuple[Item, ...]
    others: Decimal
    projects: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """`before` and `after` to the cent; the shown parts sum to their difference."""

    before: Decimal
    after: Decimal
    rows: tuple[Row, ...]

    @property
    def change(self) -> Decimal:
        return self.after - self.before


def compose(answer: Mapping[str, Any], models: Mapping[str, str], projects: Mapping[str, str]) -> Page:
    """The page of an answer, with the names of models and projects by slug."""
    before, after = (formatting.rounded(Decimal(answer[side]["spent"] or 0), 2) for side in ("before", "after"))
    exact = [Decimal(part["amount"]) for part in answer["parts"]]
    shown = formatting.add_up(exact)
    largest = max(range(len(exact)), key=lambda n: abs(exact[n]))
    # The two totals are rounded as everywhere else, so their difference may be a cent off that of the exact ones.
    shown[largest] += after - before - sum(shown, Decimal(0))
    days = {side: (answer[side]["from"], answer[side]["until"]) for side in ("before", "after")}
    return Page(before, after, tuple(
        Row(part["part"], WORDS[part["part"]], amount, cents, *_items(part, models, days),
            tuple(_project(one, projects, days) for one in part.get("projects", ())))
        for part, amount, cents in zip(answer["parts"], exact, shown, strict=True)
    ))  # fmt: skip


def _items(part: Mapping[str, Any], models: Mapping[str, str], days: Any) -> tuple[tuple[Item, ...], Decimal]:
    few, rest = part["items"][:FEW], part["items"][FEW:]
    others = sum((Decimal(one["amount"]) for one in rest), Decimal(part["others"]))
    return tuple(_item(one, models, days) for one in few), others


def _item(one: Mapping[str, str], models: Mapping[str, str], days: Mapping[str, tuple[str, str]]) -> Item:
    seller = declared(one["provider"])
    tier = "" if one["service_tier"] == "standard" else f", {one['service_tier']}"
    region = f", {one['region']}" if one["region"] else ""
    sold = f"{seller.name if seller else one['provider']}{region}{tier}, {one['unit'].replace('_', ' ')}"
    name = models.get(one["model"]) or one["model"] or one["sku"]
    asked = {"model": one["model"], "provider": one["provider"]} if one["model"] else {"provider": one["provider"]}
    return Item(name, sold, Decimal(one["amount"]), _spend(asked, "project", days))


def _project(one: Mapping[str, str], projects: Mapping[str, str], days: Mapping[str, tuple[str, str]]) -> Item:
    slug = one["project"]
    name = "Unattributed" if slug == NOBODY else projects.get(slug, slug)
    return Item(name, "", Decimal(one["amount"]), _spend({"project": slug}, "model", days))


def _spend(asked: Mapping[str, str], group_by: str, days: Mapping[str, tuple[str, str]]) -> str:
    """What was spent of it from the first of the days to the last, which shows both spans."""
    since, until = min(span[0] for span in days.values()), max(span[1] for span in days.values())
    return f"/spend?{urlencode({**asked, 'group_by': group_by, 'from': since, 'until': until, 'compare': 'none'})}"


def finding(page: Page, currency: str, after: str) -> str:
    """How spend moved and what did most of it each way, in a sentence."""

    def money(amount: Decimal) -> str:
        return formatting.money_in_prose(abs(amount), currency)

    if not any(row.shown for row in page.rows):
        return f"Spend did not change: {money(page.after)} in {after}."
    up = max(page.rows, key=lambda row: row.shown)
    down = min(page.rows, key=lambda row: row.shown)
    moved = "rose" if page.change > 0 else "fell" if page.change < 0 else "stayed level"
    by = f" by {money(page.change)}" if page.change else ""
    said = f"Spend {moved}{by} to {money(page.after)}"
    causes = [f"{up.words.added} added {money(up.shown)}"] if up.shown > 0 else []
    causes += [f"{down.words.took} took off {money(down.shown)}"] if down.shown < 0 else []
    if page.change < 0:
        causes.reverse()
    return f"{said}: {', '.join(causes)}."


def steps(page: Page, before: tuple[str, str], after: tuple[str, str], currency: str) -> list[Step]:
    """The bars: both totals, each with its name wide and narrow, and between them what moved."""
    first = Step(*before, formatting.money(page.before, currency), page.before, is_total=True)
    last = Step(*after, formatting.money(page.after, currency), page.after, is_total=True)
    between = [
        Step(row.words.name, row.words.short, formatting.signed_money(row.shown, currency), row.shown)
        for row in page.rows
        if row.shown
    ]
    return [first, *between, last]


def query_of(question: Question, before: tuple[date, date], **changes: str) -> str:
    """The address of a bridge with some of it changed; days of its own before stay where they do not change."""
    since, until = question.days
    asked: dict[str, Any] = {name: list(values) for name, values in question.filters.items()}
    asked |= {"period": question.period} if question.period else {"from": str(since), "until": str(until)}
    if question.compare:
        asked["compare"] = question.compare
    else:
        asked |= {"before_from": str(before[0]), "before_until": str(before[1])}
    if "period" in changes:
        asked = {name: value for name, value in asked.items() if name not in ("from", "until", "before_from")}
        asked.pop("before_until", None)
    if "compare" in changes:
        asked = {name: value for name, value in asked.items() if not name.startswith("before_")}
    return urlencode(asked | changes, doseq=True)


def both(days: Sequence[tuple[date, date]]) -> tuple[str, str]:
    """Two spans in words, the later first."""
    return formatting.period(*days[0]), formatting.period(*days[1])
