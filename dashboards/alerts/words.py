"""An alert as one reader is told it: what happened, when, in whose money, what to do. Pure.

A reader of some projects is told the money of those, and nothing where none of theirs is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dashboards import formatting

Parts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """`url` is the exact view, below the instance's own address; `tone` is the colour of its rule."""

    kind: str
    title: str
    text: str
    url: str
    action: str
    tone: str


def told(
    kind: str, data: Mapping[str, Any], parts: Parts, is_whole: bool, currency: str, sees: Collection[int] | None,
    today: date, hides: Collection[int] = (),
) -> Told | None:  # fmt: skip
    """The alert in words for who sees the whole (`sees` None) or some projects; None where it is not theirs.

    `hides` are projects of which they want to hear nothing for now.
    """
    mine = {
        name: part
        for name, part in parts.items()
        if (sees is None or (name and int(name) in sees)) and not (name and int(name) in hides)
    }
    if (sees is not None and is_whole) or (not is_whole and kind != "test" and not mine):
        return None
    title, text, url, action = _WORDS[kind](data, mine, currency, today)
    return Told(kind, title, text, url, action, str(data.get("tone", "")))


def _price(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    more = _sum(parts, "more")
    text = f"{data['from_to']} per Mtok."
    if more:
        way = "more" if more > 0 else "less"
        text += f" A week like your last costs {formatting.money(abs(more), currency)} {way}."
    return f"{_day(data)}: {data['name']} {data['fact']}", text, f"/models/{data['slug']}", "See the price"


def _announced(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    text = f"{data['from_to']} per Mtok. {_from_then(parts, currency)}"
    return f"{_day(data)}: {data['name']} {data['fact']}", text.strip(), f"/models/{data['slug']}", "See the price"


def _promotion(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    text = f"Today’s price ends on {_day(data)}: {data['from_to']} per Mtok. {_from_then(parts, currency)}"
    title = f"{data['name']} {data['fact']} {_ahead(data, today)}"
    return title, " ".join(text.split()), f"/models/{data['slug']}", "See the price"


def _from_then(parts: Parts, currency: str) -> str:
    paid, more = _sum(parts, "paid"), _sum(parts, "more")
    if paid is None or not more:
        return ""
    return f"You pay {formatting.money(paid, currency)} a week; from then {formatting.money(paid + more, currency)}."


def _retires(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    on, paid = date.fromisoformat(data["on"]), _sum(parts, "paid")
    if on <= today:
        title = f"{data['name']} was to be switched off on {_day(data)}"
    else:
        title = f"{data['name']} retires {_ahead(data, today)}, on {_day(data)}"
    text = f"You pay {formatting.money(paid, currency)} a week for it. " if paid else "It is in use. "
    text += f"Its maker names {data['successor']} in its place." if data["successor"] else "Choose what comes next."
    return title, text, f"/models/{data['slug']}", "See the model"


def _budget(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    money = {name: formatting.money(Decimal(data[name]), data["currency"]) for name in ("spent", "amount")}
    scope = data["scope"][0].upper() + data["scope"][1:]
    if data["level"] == "forecast":
        on = f" on {_day(data)}" if data["on"] else ""
        title = f"{scope} will be over its budget{on}"
    elif data["level"] == "100":
        title = f"{scope} has used up its budget for {data['period']}"
    else:
        title = f"{scope} has used {data['level']}% of its budget for {data['period']}"
    text = f"{money['spent']} of {money['amount']} ({data['share']}) with {data['gone']} of the days gone. "
    return title, f"{text}Forecast: {data['forecast']}.", "/budgets", "See the budget"


def _coverage(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    if data["what"] == "unpriced":
        text = f"{data['amount']} Mtok of the last seven days are in no total at list prices."
        text = f"{text} Say which model they are, or its price."
        return f"{data['share']} of your tokens have no price", text, "/unpriced", "See them"
    amount = formatting.money(Decimal(data["amount"]), currency)
    text = f"{amount} of the last seven days belongs to nobody. A rule gives it to a project."
    return f"{data['share']} of your money has no project", text, "/unattributed", "Write a rule"


def _stale(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    last = f"on {formatting.day(datetime.fromisoformat(data['last']))}" if data["last"] else "never"
    if data["what"] == "feed":
        title = f"The feed {data['name']} {'failed' if data['fault'] else 'is silent'}"
        text = data["fault"] or f"It last came in {last}. Spend since then is missing."
        return title, text, data["url"], "See the connection"
    text = f"It was last read {last}. Prices that rest on it may have changed since."
    return f"The price source {data['name']} is silent", text, data["url"], "See the source"


def _test(data: Mapping[str, Any], parts: Parts, currency: str, today: date) -> tuple[str, str, str, str]:
    return "This is a test", "Somebody asked for it in the settings. Nothing happened.", "/settings/alerts", "Settings"


_WORDS = {
    "price": _price, "announced": _announced, "promotion": _promotion, "retires": _retires, "budget": _budget,
    "coverage": _coverage, "stale": _stale, "test": _test,
}  # fmt: skip


def _sum(parts: Parts, name: str) -> Decimal | None:
    """Of the parts that know it; None where none does."""
    known = [Decimal(part[name]) for part in parts.values() if name in part]
    return sum(known, Decimal(0)) if known else None


def _day(data: Mapping[str, Any]) -> str:
    return formatting.day(date.fromisoformat(data["on"]))


def _ahead(data: Mapping[str, Any], today: date) -> str:
    days = (date.fromisoformat(data["on"]) - today).days
    return "tomorrow" if days == 1 else f"in {days} days" if days > 1 else "today"
