"""What the books come to: every record's costs and shares, and the rollups with settled feeds. From the documentation
alone (docs/design.md section 5), so that code and reckoning can only agree by both being right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.usage.books import Books, Cell, Feed, Figures, Price, Prices, Rule
from usage.importers import Fact

BY = ("day", "importer", "scope", "model", "list_currency", "currency", "spent_currency", "cost_kind")
BY_MODEL = (*BY, "counted", "tallied")
BY_PROJECT = (*BY_MODEL, "spread", "project_id")
MEASURES = (
    "records", "requests", "in_uncached", "in_cache_read", "in_cache_write", "out_total", "out_reasoning",
    "list_cost", "contracted_cost", "reported_cost", "spent", "spent_records", "priced_records", "reported_records",
    "unpriced_requests", "unpriced_tokens", "unknown_requests", "unknown_in_uncached", "unknown_in_cache_read",
    "unknown_in_cache_write", "unknown_out_total",
)  # fmt: skip
_MONEY = [name.endswith("_cost") or name == "spent" for name in MEASURES]
_TOKENS = [name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total") for name in MEASURES]
UNITS = (("input", "in_uncached"), ("cache_read", "in_cache_read"), ("output", "out_total"))
"""Unit of price and the count it prices; the machine's facts have no others."""
DETAIL = {"bill": 1, "usage_api": 2, "gateway": 3, "transcripts": 4}
PARTS = 10**12

Shares = tuple[tuple[int | None, int], ...]
"""Projects ascending, None (nobody) last, in parts of 10¹²; () is unattributed."""
Told = dict[tuple[date, str, str], dict[str, "Word"]]
"""(day, account, model) → feed → what it says. A feed is an importer, and apart from that what it brings of a bill."""


@dataclass(slots=True)
class Record:
    """A fact as it stands in the ledger."""

    feed: Feed
    account: str
    fact: Fact
    costs: tuple[Decimal | None, Decimal | None]
    """List and contracted; None = unknown."""
    key: tuple[Any, ...]
    sums: tuple[Any, ...]
    shares: Shares = ()

    @property
    def told_by(self) -> str:
        return self.feed[0] + ("/billed" if self.fact.cost_kind == "billed" else "")

    @property
    def cell(self) -> tuple[date, str, str]:
        return self.fact.occurred_at.date(), self.account, self.fact.dimension.model_raw


@dataclass(slots=True)
class Word:
    """What one feed says of a cell: its tokens, whose they are, and what its money is worth."""

    feed: str
    tokens: int = 0
    billed: bool = False
    reported: bool = False
    computed: bool = False
    projects: dict[int | None, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def detail(self) -> int:
        return DETAIL[self.feed.removesuffix("/billed")]

    @property
    def attributes(self) -> bool:
        return any(tokens for project, tokens in self.projects.items() if project is not None)


@dataclass(slots=True)
class Meeting:
    """Which feed of several gives the money, the tokens and the projects of a cell."""

    money: str
    tokens: str
    detail: str
    shares: Shares | None
    """Over what the others' figures are spread, if they are."""

    def spreads(self, feed: str) -> bool:
        return self.shares is not None and feed != self.detail and feed in (self.money, self.tokens)


@dataclass(slots=True)
class Reckoned:
    """The ledger and both rollups as they must be, and which feeds met."""

    records: list[Record]
    models: Figures
    projects: Figures
    meetings: dict[tuple[date, str, str], Meeting]


def reckoned(books: Books, prices: Prices) -> Reckoned:
    records = [_record(books, prices, *told) for told in books.facts()]
    _attribute(books.rules, records)
    meetings = _meetings(_words(records))
    models, projects = Sum(), Sum()
    settled: dict[tuple[Any, ...], Meeting] = {}
    for record in records:
        met = None if record.fact.cost_kind == "notional" else meetings.get(record.cell)
        feed = record.told_by
        flags = (met is None or met.money == feed, met is None or met.tokens == feed)
        models.add((*record.key, *flags), record.sums)
        if met and met.spreads(feed):
            settled[*record.key, *flags] = met
            flags = (False, False)
        for project, part in split(record.sums, record.shares):
            projects.add((*record.key, *flags, False, project), part)
    for key, met in settled.items():
        for project, part in split(models.of[key], met.shares or ()):
            projects.add((*key, True, project), part)
    return Reckoned(records, models.figures(), projects.figures(), meetings)


def official(books: Books, now: Figures) -> Figures:
    """Open months as they are now, the closed ones as they were closed with the restatements that stand."""
    opened = {key: sums for key, sums in now.items() if key[0].replace(day=1) not in books.closed}
    return plus(opened, *books.closed.values(), *(moved for _, moved in books.restated.values()))


def cell_of(key: tuple[Any, ...]) -> Cell:
    return key[:3]


def plus(*all_of: Figures, sign: int = 1) -> Figures:
    """The sum of figures; with sign = -1 the first less the others."""
    found = Sum()
    for n, some in enumerate(all_of):
        for key, sums in some.items():
            found.add(key, sums if n == 0 or sign == 1 else tuple(-amount for amount in sums))
    return found.figures()


def without(figures: Figures, *columns: str) -> Figures:
    """Figures by project summed over some columns of their key."""
    kept = [n for n, name in enumerate(BY_PROJECT) if name not in columns]
    found = Sum()
    for key, sums in figures.items():
        found.add(tuple(key[n] for n in kept), sums)
    return found.figures()


def split(sums: Sequence[Any], shares: Shares) -> list[tuple[int | None, tuple[Any, ...]]]:
    """Every measure in whole parts by largest remainder, money in 10⁻¹²; an equal remainder goes to the earlier."""
    if len(shares) < 2:
        return [(shares[0][0] if shares else None, tuple(sums))]
    weights = [weight for _, weight in shares]
    columns = [
        [Decimal(part).scaleb(-12) for part in parted(int(amount.scaleb(12)), weights)]
        if is_money and amount
        else parted(int(amount), weights)
        for amount, is_money in zip(sums, _MONEY, strict=True)
    ]
    return [(project, tuple(column[n] for column in columns)) for n, (project, _) in enumerate(shares)]


def parted(amount: int, weights: Sequence[int]) -> list[int]:
    """A whole number by weights of any whole, by largest remainder."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % whole), n))
    for n in by_rest[: amount - sum(parts)]:
        parts[n] += 1
    return parts


class Sum:
    """Figures as they grow."""

    def __init__(self) -> None:
        self.of: dict[tuple[Any, ...], list[Any]] = {}

    def add(self, key: tuple[Any, ...], sums: Iterable[Any]) -> None:
        known = self.of.get(key)
        self.of[key] = list(sums) if known is None else [a + b for a, b in zip(known, sums, strict=True)]

    def figures(self) -> Figures:
        return {key: tuple(sums) for key, sums in self.of.items() if any(sums)}


# A record


def _record(books: Books, prices: Prices, feed: Feed, account: str, fact: Fact) -> Record:
    day, model = fact.occurred_at.date(), fact.dimension.model_raw
    price = next((one for one in reversed(prices.get(model, [])) if one.since <= day), None)
    listed, contracted, is_by_contract = _costs(books, price, fact)
    reported = fact.cost_reported
    currency = price.currency if price and (listed is not None or is_by_contract) else ""
    spent = next((cost for cost in (reported, contracted, listed) if cost is not None), None)
    unpriced = listed is None
    tokens = sum(count or 0 for count in (fact.in_uncached, fact.in_cache_read, fact.in_cache_write, fact.out_total))
    # Money that is stated for no tokens: of a bill's line, or of a call to what the catalogue does not know.
    needs_no_price = reported is not None and (fact.in_uncached is None or (model not in prices and not tokens))
    values = {
        "records": 1,
        "requests": fact.requests or 0,
        "in_uncached": fact.in_uncached or 0,
        "in_cache_read": fact.in_cache_read or 0,
        "in_cache_write": fact.in_cache_write or 0,
        "out_total": fact.out_total or 0,
        "out_reasoning": 0,
        "list_cost": listed or Decimal(0),
        "contracted_cost": (listed if contracted is None else contracted) or Decimal(0),
        "reported_cost": reported or Decimal(0),
        "spent": spent or Decimal(0),
        "spent_records": int(spent is not None),
        "priced_records": int(listed is not None),
        "reported_records": int(reported is not None),
        "unpriced_requests": (1 if fact.requests is None else fact.requests) if unpriced and not needs_no_price else 0,
        "unpriced_tokens": tokens if unpriced else 0,
    } | {name: int(getattr(fact, name.removeprefix("unknown_")) is None) for name in MEASURES[-5:]}
    spent_currency = currency if reported is None else fact.currency
    key = (day, *feed, model, currency, fact.currency, spent_currency, fact.cost_kind)
    return Record(feed, account, fact, (listed, contracted), key, tuple(values[name] for name in MEASURES))


def _costs(books: Books, price: Price | None, fact: Fact) -> tuple[Decimal | None, Decimal | None, bool]:
    """List cost and contracted cost, and whether a contract prices the record at all."""
    if price is None or fact.in_uncached is None:
        return None, None, False
    day, model = fact.occurred_at.date(), fact.dimension.model_raw
    terms = [one for one in books.agreements if one.holds(model, day)]
    terms.sort(key=lambda one: one.narrowness, reverse=True)
    listed: list[tuple[int, Decimal | None]] = []
    agreed: list[tuple[int, Decimal | None]] = []
    is_used = False
    for unit, count in UNITS:
        of_list = here = getattr(price, unit)
        for_unit = [one for one in terms if one.unit in ("", unit)]
        override = next((o for o in for_unit if o.kind == "override" and o.currency == price.currency), None)
        discount = next((one for one in for_unit if one.kind == "discount"), None)
        if override:
            here = override.value / 10**6
        elif discount and here is not None:
            here *= 1 - discount.value / 100
        is_used = is_used or override is not None or (discount is not None and of_list is not None)
        listed.append((getattr(fact, count) or 0, of_list))
        agreed.append((getattr(fact, count) or 0, here))
    cost, contracted = _cost(listed), _cost(agreed) if is_used else None
    return cost, contracted, contracted is not None


def _cost(counts: Collection[tuple[int, Decimal | None]]) -> Decimal | None:
    """Rounded once; a count whose price is unknown leaves it all unknown."""
    if any(count and price is None for count, price in counts):
        return None
    exact = sum((count * price for count, price in counts if price is not None), Decimal(0))
    return exact.quantize(Decimal("1e-12"), ROUND_HALF_UP)


# Whose it is


def _attribute(rules: Sequence[Rule], records: Sequence[Record]) -> None:
    deciding = [next((r for r in rules if r.decides(one.feed, one.account, one.fact)), None) for one in records]
    for record, rule in zip(records, deciding, strict=True):
        if rule is not None and rule.tokens_of is None:
            record.shares = _named(rule)
    said = [
        (r, rule) for r, rule in zip(records, deciding, strict=True) if rule is None or rule.tokens_of is None
    ]  # by rules that name projects themselves, or by none
    for record, rule in zip(records, deciding, strict=True):
        if rule is not None and rule.tokens_of is not None:
            day = record.fact.occurred_at.date()
            seen = [(r, by) for r, by in said if r.fact.occurred_at.date() == day and _is_of(r.feed, rule.tokens_of)]
            record.shares = _by_tokens(seen)


def _named(rule: Rule) -> Shares:
    return tuple(sorted(rule.shares.items()))


def _is_of(feed: Feed, wanted: str | Feed) -> bool:
    return feed[0] == wanted if isinstance(wanted, str) else feed == wanted


def _by_tokens(seen: Sequence[tuple[Record, Rule | None]]) -> Shares:
    """By a day's tokens: those of one rule are split together."""
    by_rule: dict[int | None, int] = defaultdict(int)
    rules = {rule.stored.pk: rule for _, rule in seen if rule is not None}
    for record, rule in seen:
        by_rule[None if rule is None else rule.stored.pk] += tokens_of(record.sums)
    projects: dict[int | None, int] = defaultdict(int)
    for pk, tokens in by_rule.items():
        shares = ((None, PARTS),) if pk is None else _named(rules[pk])
        for (project, _), part in zip(shares, parted(tokens, [weight for _, weight in shares]), strict=True):
            projects[project] += part
    if not any(tokens for project, tokens in projects.items() if project is not None):
        return ()
    return _weights(projects, sum(projects.values()))


def tokens_of(sums: Sequence[Any]) -> int:
    return sum(int(amount) for amount, is_tokens in zip(sums, _TOKENS, strict=True) if is_tokens)


def _weights(projects: Mapping[int | None, int], whole: int) -> Shares:
    """Tokens by project as parts of the whole; what no project has is nobody's."""
    known = sorted((project, tokens) for project, tokens in projects.items() if project is not None and tokens)
    nobody = whole - sum(tokens for _, tokens in known)
    tokens: list[tuple[int | None, int]] = [*known, *([(None, nobody)] if nobody else [])]
    parts = parted(PARTS, [part for _, part in tokens])
    return tuple((project, part) for (project, _), part in zip(tokens, parts, strict=True) if part)


# One spend once


def _words(records: Iterable[Record]) -> Told:
    found: Told = defaultdict(dict)
    for record in records:
        if record.fact.cost_kind == "notional":
            continue
        word = found[record.cell].setdefault(record.told_by, Word(record.told_by))
        word.tokens += tokens_of(record.sums)
        word.billed |= record.fact.cost_kind == "billed" and record.fact.cost_reported is not None
        word.reported |= record.fact.cost_reported is not None
        word.computed |= any(cost is not None for cost in record.costs)
        for project, part in split(record.sums, record.shares):
            word.projects[project] += tokens_of(part)
    return found


def _meetings(told: Told) -> dict[tuple[date, str, str], Meeting]:
    """By the models of each account's day, or all of them at once where the day's bills name none."""
    days: dict[tuple[date, str], dict[str, dict[str, Word]]] = defaultdict(dict)
    for (day, account, model), words in told.items():
        days[day, account][model] = words
    found: dict[tuple[date, str, str], Meeting] = {}
    for (day, account), models in days.items():
        for model, met in _of_day(models).items():
            found[day, account, model] = met
    return found


def _of_day(models: dict[str, dict[str, Word]]) -> dict[str, Meeting]:
    bills = {word.feed for words in models.values() for word in words.values() if word.billed}
    sums = {feed for feed in bills if not any(feed in words for model, words in models.items() if model)}
    if sums and sums != bills:
        given_way, models[""] = models[""], {feed: w for feed, w in models[""].items() if feed not in sums}
        found = _of_day(models)
        if given_way and "" not in found:
            stands = next(iter(models[""]), max(bills - sums))
            found[""] = Meeting(stands, stands, stands, None)
        return found
    each = {model: _meeting(list(words.values())) for model, words in models.items()}
    if not sums or len({feed for words in models.values() for feed in words}) == 1:
        return {model: met for model, met in each.items() if met}
    bill = max((models[""][feed] for feed in sums), key=lambda word: (word.tokens, word.detail, word.feed)).feed
    found = {}
    for model, words in models.items():
        met = each[model]
        fullest = max(words.values(), key=lambda word: (word.tokens, word.detail, word.feed)).feed
        detail = met.detail if met else fullest
        found[model] = Meeting(bill, fullest, detail, met.shares if met and detail != fullest else None)
    tokens = sum(max(word.tokens for word in words.values()) for words in models.values())
    together: dict[str, Word] = {}
    for words in models.values():
        for feed, word in words.items():
            one = together.setdefault(feed, Word(feed))
            one.tokens += word.tokens
            for project, part in word.projects.items():
                one.projects[project] += part
    by = [word for word in together.values() if word.attributes and 100 * word.tokens >= tokens]
    finest = max(by, key=lambda word: (word.detail, word.tokens, word.feed)) if by else together[bill]
    shares = None if finest.feed == bill else _weights(finest.projects, tokens)
    found[""] = Meeting(bill, found[""].tokens, finest.feed, shares)
    return found


def _meeting(words: Sequence[Word]) -> Meeting | None:
    """Billed before reported before computed money; a reporting feed that saw under 98 % is no better than a computed
    one, and of several that saw it all the coarsest is believed. The most tokens. The finest feed that attributes
    anything and saw 1 % of them."""
    if len(words) < 2:
        return None
    fullest = max(words, key=lambda word: (word.tokens, word.detail, word.feed))

    def worth(word: Word) -> int:
        if word.billed:
            return 3
        if word.reported and 100 * word.tokens >= 98 * fullest.tokens:
            return 2
        return 1 if word.reported or word.computed else 0

    def finest_last(word: Word) -> tuple[int, int]:
        return (-word.detail, word.tokens) if worth(word) == 2 else (word.tokens, word.detail)

    money = max(words, key=lambda word: (worth(word), *finest_last(word), word.feed))
    if not fullest.tokens:
        return Meeting(money.feed, money.feed, money.feed, None)
    seen = [word for word in words if 100 * word.tokens >= fullest.tokens]
    detail = max(seen, key=lambda word: (word.attributes, word.detail, word.tokens, word.feed))
    is_alone = {money.feed, fullest.feed} == {detail.feed}
    shares = None if is_alone else _weights(detail.projects, fullest.tokens)
    return Meeting(money.feed, fullest.feed, detail.feed, shares)
