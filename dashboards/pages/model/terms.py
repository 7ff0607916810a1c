"""Other terms of a seller: hours, prompt lengths, service tiers, what is charged beside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from dashboards import formatting
from dashboards.pages.model.facts import CALENDARS, COLUMNS, Ask, Cell, Held, Other, Variant, evidence_url
from pricing.schedules import parse


def cells(
    ask: Ask, prices: Mapping[str, Held], columns: Sequence[str], decimals: Mapping[str, int]
) -> tuple[Cell, ...]:
    return tuple(
        Cell(prices[unit].usd_per_mtok, evidence_url(ask, prices[unit].price_id), decimals.get(unit, 2))
        if unit in prices
        else Cell(None)
        for unit in columns
    )


def decimals_by_unit(groups: Iterable[Mapping[str, Held]], columns: Sequence[str]) -> dict[str, int]:
    kept = list(groups)
    return {
        unit: formatting.decimals_of([group[unit].usd_per_mtok for group in kept if unit in group]) for unit in columns
    }


def batch_said(prices: Mapping[str, Held], batch: Mapping[str, Held]) -> str:
    """What batch costs against standard, where both are known: `−50%`."""
    ratios = {
        (batch[unit].usd_per_mtok or 0) / (prices[unit].usd_per_mtok or 1)
        for unit in ("input", "output")
        if unit in batch and unit in prices and prices[unit].usd_per_mtok
    }
    if not ratios:
        return ""
    low, high = min(ratios), max(ratios)
    if low != high:
        return f"{formatting.MINUS}{(1 - high) * 100:.0f} to {(1 - low) * 100:.0f}%"
    return f"{formatting.MINUS}{(1 - low) * 100:.0f}%" if low <= 1 else f"+{(low - 1) * 100:.0f}%"


def hours(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """The windows with prices of their own, in UTC, and the price otherwise.

    A unit without a price of its own in a window costs what it costs at all hours, as when it is billed.
    """
    plain = {price.unit: price for price in own if price.is_plain and price.usd_per_mtok is not None}
    windows: dict[str, dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.schedule and price.service_tier == "standard" and not (price.context_from or price.qualifier):
            windows[price.schedule][price.unit] = price
    if not windows:
        return ()
    decimals = decimals_by_unit([plain, *windows.values()], columns)
    shown = columns[:3]
    rows = [
        Variant(window_words(schedule), "", cells(ask, {**plain, **prices}, shown, decimals))
        for schedule, prices in sorted(windows.items())
    ]
    return (*rows, Variant("At all other hours", "", cells(ask, plain, shown, decimals)))


def window_words(schedule: str) -> str:
    """A schedule's hours: `Monday to Friday, 01:00–04:00 and 06:00–10:00`."""
    windows = " and ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in parse(schedule).windows)
    days = "Monday to Friday, " if parse(schedule).days == "mon-fri" else ""
    return f"{days}{windows}"


def hours_said(own: Sequence[Held], holidays_through: date | None) -> str:
    schedules = sorted({price.schedule for price in own if price.schedule})
    if not schedules:
        return ""
    calendars = sorted({parse(schedule).calendar for schedule in schedules} - {""})
    said = "Times in UTC, as the seller bills."
    for calendar in calendars:
        until = f", known through {formatting.day(holidays_through)}" if holidays_through else ""
        said += f" Not on {CALENDARS.get(calendar, f'holidays of the calendar “{calendar}”')}{until}."
    return said


def tiers(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """Prices above a prompt length; a unit that states none there keeps its base price, as when it is billed."""
    tiers: dict[tuple[int, str], dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.context_from and price.service_tier == "standard" and not (price.schedule or price.qualifier):
            tiers[price.context_from, price.context_op][price.unit] = price
    if not tiers:
        return ()
    plain = {price.unit: price for price in own if price.is_plain and price.usd_per_mtok is not None}
    decimals = decimals_by_unit([plain, *tiers.values()], columns)
    first = formatting.count(min(start for start, _ in tiers))
    rows = [Variant(f"Up to {first}", "", cells(ask, plain, columns[:3], decimals))]
    for (start, operator), prices in sorted(tiers.items()):
        name = f"{'From' if operator == '>=' else 'Over'} {formatting.count(start)}"
        rows.append(Variant(name, "", cells(ask, {**plain, **prices}, columns[:3], decimals)))
    return tuple(rows)


def services(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """Other service tiers and qualified prices: batch, flex, priority, thinking.

    A unit that a tier states no price for costs what it costs at the standard tier, as when it is billed.
    """
    plain = {price.unit: price for price in own if price.is_plain and price.usd_per_mtok is not None}
    found: dict[tuple[str, str], dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.context_from or price.schedule or price.usd_per_mtok is None or price.is_plain:
            continue
        if price.unit in COLUMNS:
            found[price.service_tier, price.qualifier][price.unit] = price
    decimals = decimals_by_unit([plain, *found.values()], columns)
    return tuple(
        Variant(
            tier if not qualifier else f"{tier}, {qualifier}",
            "",
            cells(ask, {**plain, **prices}, columns[:3], decimals),
        )
        for (tier, qualifier), prices in sorted(found.items())
    )


def others(ask: Ask, own: Sequence[Held]) -> tuple[Other, ...]:
    """What the seller charges beside plain input, output and cached input."""
    rows = [
        Other(_unit_words(price), formatting.price(price.amount, price.currency), _per_words(price),
              evidence_url(ask, price.price_id))
        for price in own
        if price.unit not in COLUMNS and price.service_tier == "standard" and not (price.schedule or price.context_from)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row.name))


_LIFETIMES = {"5m": "5 minutes", "30m": "30 minutes", "1h": "1 hour", "12h": "12 hours"}


def _unit_words(price: Held) -> str:
    lifetime = price.unit.removeprefix("cache_write_")
    name = f"cache write, kept {_LIFETIMES[lifetime]}" if lifetime in _LIFETIMES else price.unit.replace("_", " ")
    words = f"{name}, {price.qualifier}" if price.qualifier else name
    return words[0].upper() + words[1:]


def _per_words(price: Held) -> str:
    if price.usd_per_mtok is not None and price.per == 1_000_000:
        return "per Mtok"
    return "each" if price.per == 1 else f"per {formatting.count(price.per)}"
