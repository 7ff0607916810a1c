"""One decision: tiles, evidence, the saving ahead, both prices, the promise and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from dashboards import formatting
from dashboards.models import Proposal
from dashboards.pages.decisions import words
from dashboards.pages.decisions.ask import Once
from pricing.exports.litellm.names import keys, naming
from pricing.exports.litellm.sold import Sold
from pricing.noninferiority import Verdict
from usage.advice import Advice, CostLine, Evidence, Range, Recommendation, Side
from usage.counterfactual import Outcome, Realised, outcome

ZERO: Final = Decimal(0)
SAME_WEIGHTS: Final = "weights"
"""The source of a verdict that needs no evidence."""
AHEAD: Final = timedelta(days=183)
"""How far ahead the saving is drawn."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with what it is compared with and what it rests on; `known` is the share of the rule below it."""

    label: str
    figure: str
    compared: str
    said: str
    url: str = ""
    known: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One comparison as the table and the chart show it, in the points that are shown."""

    of: Evidence
    name: str
    sub: str
    badge: tuple[str, str]
    value: str
    interval: str
    margin: str
    unit: str

    @property
    def is_drawn(self) -> bool:
        return self.of.value is not None and self.of.low is not None and self.of.high is not None


@dataclass(frozen=True, slots=True)
class BothPrices:
    """Tokens of a unit in the window at the price of either side; None is unknown."""

    name: str
    tokens: int
    current_price: Decimal | None
    current_cost: Decimal | None
    candidate_price: Decimal | None
    candidate_cost: Decimal | None


def tiles(one: Proposal, move: Recommendation, once: Once, url: str) -> list[Tile]:
    """Saving, quality, payback, waiting."""
    of = Range(one.saving_low, one.saving_high)
    return [
        _saving(one, move, of),
        _quality(move),
        _payback(one, of, once, url),
        _waiting(one, move, of),
    ]


def _saving(one: Proposal, move: Recommendation, of: Range) -> Tile:
    tokens = sum(line.tokens for line in move.lines)
    priced = sum(line.tokens for line in move.lines if line.candidate_price is not None)
    known = Decimal(priced) / tokens if tokens else None
    whole = "All " if known == 1 else f"{formatting.mtok(priced)} of "
    least = formatting.share(max(of.low, ZERO), move.paying) if move.paying > 0 else ""
    said = [f"{whole}{formatting.mtok(tokens)} Mtok priced"] if tokens else []
    said += [f"at least {least} saved"] if least and of.low > 0 else []
    return Tile(
        "Promised per month" if one.moved_on else "Saving per month", words.saving(of, one.currency),
        f"of {formatting.money_in_prose(move.paying, one.currency)} {'then' if one.moved_on else 'today'}",
        "; ".join(said), "#prices", known,
    )  # fmt: skip


def _quality(move: Recommendation) -> Tile:
    if move.kind.same_weights:
        return Tile("Quality", "Same", "the same weights", "No evaluation is needed", "#changes")
    figure = {Verdict.BETTER: "Better", Verdict.EQUAL: "Equal", Verdict.WORSE: "Worse"}.get(move.verdict, "Open")
    first = next((one for one in move.evidence if one.decides and one.value is not None), None)
    if first is None:
        return Tile("Quality", figure, "", "", "#evidence")
    row = evidence_row(first)
    items = f"{formatting.count(first.n)} {_noun(first)}, " if first.n else ""
    compared = f"{row.value} {row.unit}, {row.interval}"
    return Tile("Quality", figure, compared, f"{items}margin {row.margin}", "#evidence", Decimal(1))


def _noun(of: Evidence) -> str:
    return "items" if words.is_own(of) else "votes" if of.source == "arena" else "cases"


def _payback(one: Proposal, of: Range, once: Once, url: str) -> Tile:
    figure = words.pays_back(once.cost, of)
    return Tile(
        "Pays back in", figure or "never", f"{formatting.money_in_prose(once.cost, one.currency)} once",
        f"{once.hours.normalize():f} engineer hours at {formatting.money_in_prose(once.rate, one.currency)}"
        f"{', assumed' if once.is_default else ''}", url,
    )  # fmt: skip


def _waiting(one: Proposal, move: Recommendation, of: Range) -> Tile:
    if move.waited is None:
        return Tile("Waiting has cost", "–", "not known", "Nobody knows since when something equal costs less")
    more = f"and {words.saving(words.weekly(of), one.currency)} more each week"
    label, compared = (
        ("Waiting had cost", f"by {formatting.day(one.advised_on)}") if one.moved_on else ("Waiting has cost", more)
    )
    return Tile(
        label, formatting.money_in_prose(move.waited, one.currency), compared,
        f"Since {formatting.day(move.since)}, the first day something equal cost less" if move.since else "", "#prices",
    )  # fmt: skip


def scope(one: Proposal, move: Recommendation, newest: Advice | None, today: date) -> list[str]:
    """When, whose, of which tokens, how much of the project, and when that last moved by the newest advice."""
    tokens = sum(line.tokens for line in move.lines)
    days = formatting.period(one.since, one.until)
    found = [f"Proposed {formatting.day(one.proposed_at)}", f"Owner: {one.owner or 'nobody yet'}"]
    found.append(f"Token log of {days}{f', {formatting.mtok(tokens)} Mtok' if tokens else ''}")
    if move.share is not None:
        found.append(f"{formatting.share(move.share, Decimal(1))} of the project’s spend")
    if newest is not None:
        ago = words.since_words(newest.last_moved, today)
        found.append(f"The project last moved {ago} ago" if ago else "The project has moved to no other model yet")
    return found


# Evidence


def evidence(move: Recommendation) -> list[EvidenceRow]:
    """Every comparison, what decides first, own before public."""
    told = [one for one in move.evidence if one.source != SAME_WEIGHTS]
    order = sorted(told, key=lambda one: (not one.decides, not words.is_own(one)))
    return [evidence_row(one) for one in order]


def evidence_row(one: Evidence) -> EvidenceRow:
    parts = [f"{formatting.count(one.n)} {_noun(one)}" if one.n else "", "paired" if one.is_paired else ""]
    parts.append(formatting.day(one.observed_on) if one.observed_on else "")
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{words.signed(one.low, one.unit)} to {words.signed(one.high, one.unit)}"
    return EvidenceRow(
        one, f"Your evaluation: {one.name}" if words.is_own(one) else one.name, ", ".join(filter(None, parts)),
        words.BADGES[one.verdict] if one.margin else ("", "beside the verdict"),
        "" if one.value is None else words.signed(one.value, one.unit), interval,
        margin_words(one), "points",
    )  # fmt: skip


def margin_words(one: Evidence) -> str:
    """How far below the candidate may lie: `−3`; 'none' where nothing is decided by it."""
    if not one.margin:
        return "none"
    return formatting.MINUS + words.signed(one.margin, one.unit).removeprefix("+").removesuffix(".0")


def evidence_claim(move: Recommendation) -> str:
    """The title of the evidence: on what the verdict rests and whether the rest agrees."""
    deciding = [one for one in move.evidence if one.decides]
    others = [one for one in move.evidence if not one.decides and one.margin]
    if not deciding:
        return "Nothing decides its quality"
    how = "Better" if move.verdict is Verdict.BETTER else "Equal"
    where = "on your own evaluation" if words.is_own(deciding[0]) else f"by {deciding[0].name}"
    if not others:
        return f"{how} {where}"
    against = [one for one in others if one.verdict in (Verdict.WORSE, Verdict.NOT_ENOUGH)]
    if not against:
        return f"{how} {where}; the rest agrees"
    except_for = against[0].name if len(against) == 1 else f"{len(against)} others"
    agrees = "public ratings agree, except" if len(against) < len(others) else "not so"
    return f"{how} {where}; {agrees} on {except_for}"


EVIDENCE_HEAD = (
    "source", "name", "unit", "difference", "low_90", "high_90", "margin", "verdict", "n", "paired", "decides",
    "items_to_settle", "observed_on", "url", "note",
)  # fmt: skip


def evidence_cells(row: EvidenceRow) -> list[Any]:
    one = row.of
    return [
        one.source, one.name, one.unit, one.value, one.low, one.high, one.margin, one.verdict.value, one.n,
        one.is_paired, one.decides, one.items, one.observed_on, one.url, one.note,
    ]  # fmt: skip


# The saving ahead


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a month saves from a day on, until the next one."""

    on: date
    saving: Range
    shown: str


def ahead(one: Proposal, move: Recommendation) -> list[Ahead]:
    """The saving of today and after each announced change."""
    first = Ahead(one.advised_on, Range(one.saving_low, one.saving_high), "")
    later = [Ahead(step.on, step.saving, "") for step in move.steps if step.on > one.advised_on]
    return [Ahead(at.on, at.saving, words.saving(at.saving, one.currency)) for at in (first, *later)]


def ahead_claim(steps: Sequence[Ahead]) -> str:
    """The title of the saving ahead."""
    if len(steps) == 1:
        return "No announced price changes it"
    first, last = steps[0].saving, steps[-1].saving
    turn = "steps down" if last.low + last.high < first.low + first.high else "grows"
    when = f"{steps[1].on.day} {steps[1].on:%B}"
    if last.low <= 0:
        return f"The saving {turn} on {when} and may end"
    lasts = " and stays large" if turn == "steps down" and last.low * 2 >= first.low else ""
    return f"The saving {turn} on {when}{lasts}"


AHEAD_HEAD = ("from", "saving_low_per_month", "saving_high_per_month", "currency")


# Both prices


def both_prices(move: Recommendation) -> tuple[list[BothPrices], BothPrices]:
    """The window's tokens at either side's price, and their sum; a sum with an unknown part is unknown."""
    lines = [
        BothPrices(
            words.UNITS.get(line.unit, line.unit.replace("_", " ").capitalize()), line.tokens, line.current_price,
            line.current_cost, line.candidate_price, line.candidate_cost,
        )
        for line in move.lines
    ]  # fmt: skip
    total = BothPrices(
        "Total", sum(line.tokens for line in lines), None, _sum([line.current_cost for line in lines]), None,
        _sum([line.candidate_cost for line in lines]),
    )  # fmt: skip
    return lines, total


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, ZERO) if len(known) == len(costs) and costs else None


PRICES_HEAD = (
    "unit", "tokens", "current_price_per_mtok", "current_cost", "candidate_price_per_mtok", "candidate_cost",
    "currency",
)  # fmt: skip


def price_cells(line: CostLine, currency: str) -> list[Any]:
    return [
        line.unit, line.tokens, line.current_price, line.current_cost, line.candidate_price, line.candidate_cost,
        currency,
    ]  # fmt: skip


# After accepting


def litellm_name(side: Side, maker: str) -> str:
    """The side's name in LiteLLM; '' where it has none."""
    sold = Sold(side.provider, side.sku, side.region, side.model, maker)
    named = naming(sold)
    return "" if named is None else next((key for key, _ in keys(sold, named)), "")


def snippet(slug: str, named: str, effort: str) -> str:
    """A model of LiteLLM's proxy, as its configuration writes it."""
    lines = ["model_list:", f"  - model_name: {slug}", "    litellm_params:", f"      model: {named}"]
    return "\n".join([*lines, f"      reasoning_effort: {effort}"] if effort else lines)


# What came of it


@dataclass(frozen=True, slots=True)
class Kept:
    """The promise beside what was realised, in words; `verdict` is a badge."""

    promised: str
    realised: str
    total: str
    days: int
    unknown: int
    verdict: tuple[str, str]
    how: str


def kept(one: Proposal, found: Realised | None) -> Kept | None:
    """What a followed move has saved so far; None before the traffic moved."""
    if found is None or one.moved_on is None:
        return None
    month = found.per_month
    promised = Range(one.saving_low, one.saving_high)
    said = ("thin", "not known yet")
    if month is not None:
        found_to_be = outcome(promised, month)
        said = ("worse" if found_to_be is Outcome.LESS else "good", found_to_be.value)
    return Kept(
        words.saving(promised, one.currency),
        "" if month is None else words.saving(month, one.currency),
        words.saving(found.total, one.currency), len(found.days), len(found.unknown), said,
        "by requests" if found.by_requests else "by tokens, as nobody counted the requests",
    )  # fmt: skip


REALISED_HEAD = ("day", "saved_low", "saved_high", "currency")
