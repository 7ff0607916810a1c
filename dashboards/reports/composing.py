"""From what was read to what the mail says: its finding, its three figures, its tables, by rule. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.bridge import Row
from dashboards.pages.budgets import PAGE as BUDGET_PAGE
from dashboards.pages.budgets import forecast_words, period_words
from dashboards.pages.decisions import words
from dashboards.pages.ledger import ZERO, Figure, Words, plain
from dashboards.pages.parts import LEAST_MOVE, change_words
from dashboards.reports import chart, prices, unknowns
from dashboards.reports.read import Budgeted, Proposed, Read
from dashboards.reports.report import (
    BUDGETS,
    CHANGE,
    CUT,
    MEAN,
    MEAN_OF,
    UNPRICED,
    Bridge,
    Decision,
    Part,
    Report,
    Tile,
    last_whole_week,
)
from usage.advice import MONTH, MOST
from usage.pacing import Pace

PARTS = 5
"""Parts of the bridge that are named; with more, the smallest are one line."""
WEEKS_A_MONTH = MONTH / 7


def compose(read: Read) -> Report:
    """The whole report from its rows."""
    finding = _finding(read)
    decisions = tuple(_decision(one) for one in read.proposed[:MOST])
    coming = prices.changed(read)
    return Report(
        scope=read.scope,
        subject=_subject(read, decisions),
        preheader=_preheader(read, decisions, coming),
        finding=finding,
        standing=_standing(read),
        tiles=_tiles(read),
        decisions=decisions,
        no_decision=() if decisions else _no_decision(read),
        bridge=_bridge(read),
        chart=chart.chart(read),
        prices=coming,
        retiring=prices.retiring(read),
        unknown=unknowns.not_known(read),
        doubts=unknowns.in_doubt(read),
        shows=None if read.scope.whole or (read.budget and read.budget.is_of_whole) else read.scope.project_ids,
        is_sample=read.is_sample,
    )


# Sentences


def _when(read: Read) -> str:
    is_last = read.scope.week.start == last_whole_week(read.today)
    return "last week" if is_last else f"in week {read.scope.number}"


def _subject(read: Read, decisions: Sequence[Decision]) -> str:
    """`Larkfield, week 46: $11,254, +3.2%. Two decisions.`: the finding, as a list of mails shows it."""
    head = f"{read.scope.name}, week {read.scope.number}: "
    if not read.week.tokens and not read.week.spent:
        return f"{head}no tokens used"
    said = head + _amount(read)
    moved = formatting.change(read.week.spent, read.before.spent)
    if read.before.spent and moved.direction in ("up", "down"):
        said += f", {moved.text}"
    if not decisions:
        return said
    return f"{said}. {'One decision' if len(decisions) == 1 else f'{_number(len(decisions))} decisions'}."


def _number(count: int) -> str:
    return {1: "One", 2: "Two", 3: "Three"}.get(count, f"{count}")


def _amount(read: Read) -> str:
    if read.week.spent is None:
        return f"{formatting.mtok(read.week.tokens)} Mtok, no known price"
    return formatting.money_in_prose(read.week.spent, read.scope.currency)


def _preheader(read: Read, decisions: Sequence[Decision], coming: Sequence[prices.PriceChange]) -> str:
    """What a list of mails shows behind the subject: the decisions, then the next price."""
    said = [f"{one.move.text.split(':')[0]} {one.saving}/month" for one in decisions]
    ahead = [one for one in coming if one.on > read.today][:1]
    told = [f"{', '.join(said)}."] if said else []
    told += [f"{one.what.text} on {one.on.day} {one.on:%B}." for one in ahead]
    return " ".join(told) or plain(_standing(read))


def _finding(read: Read) -> Words:
    scope, name = read.scope, read.scope.name
    if not read.week.tokens and not read.week.spent:
        return (f"{name} used no tokens {_when(read)}.",)
    if read.week.spent is None:
        tokens = f"{formatting.mtok(read.week.tokens)} Mtok"
        url = scope.spend_url(scope.week, measure="tokens")
        return (f"{name} used ", Figure(tokens, url), f" {_when(read)}, and none of it has a known price.")
    spent = Figure(formatting.money_in_prose(read.week.spent, scope.currency), scope.spend_url(scope.week))
    first: Words = (f"{name} spent ", spent, f" {_when(read)}")
    if read.before.spent:
        first += (", ", Figure(change_words(read.week.spent, read.before.spent), "", CHANGE))
    second = _would_cut(read) or _what_moved(read) or _unknown_share(read)
    return (*first, ". ", *second) if second else (*first, ".")


def _would_cut(read: Read) -> Words:
    """By what part of a month like this week the decisions would cut the bill, where the money is of one currency."""
    open_ones = [one for one in read.proposed[:MOST] if one.currency == read.scope.currency]
    bill = (read.week.spent or ZERO) * WEEKS_A_MONTH
    if not open_ones or bill <= 0:
        return ()
    low, high = (sum((getattr(one.saving, end) for one in open_ones), ZERO) / bill for end in ("low", "high"))
    if not 0 < low <= high < 1:
        return ()
    ends = [f"{formatting.rounded(part * 100, 0)}" for part in (low, high)]
    cut = f"{ends[0]}%" if ends[0] == ends[1] else f"{ends[0]}{formatting.EN_DASH}{ends[1]}%"
    one = len(open_ones) == 1
    return (f"{_number(len(open_ones))} model move{'' if one else 's'} would cut ", Figure(cut, "", CUT), ".")


def _what_moved(read: Read) -> Words:
    """What did most of a change of at least 1 %."""
    page = read.bridge
    if page is None or not page.before or abs(page.change) < LEAST_MOVE * page.before:
        return ()
    part = max(page.rows, key=lambda row: row.shown * (1 if page.change > 0 else -1))
    if part.shown * page.change <= 0:
        return ()
    said = part.words.added if part.shown > 0 else part.words.took
    amount = Figure(formatting.money_in_prose(abs(part.shown), read.scope.currency), read.scope.bridge_url)
    return (f"{said[0].upper()}{said[1:]} {'added' if part.shown > 0 else 'took off'} ", amount, ".")


def _unknown_share(read: Read) -> Words:
    if not read.week.tokens or Decimal(read.week.unpriced_tokens) / read.week.tokens < LEAST_MOVE:
        return ()
    share = formatting.share(read.week.unpriced_tokens, read.week.tokens)
    return (Figure(share, "", UNPRICED), " of its tokens have no known price.")


def _standing(read: Read) -> Words:
    """What the money is, how much of the truth it covers, and up to which day usage has come in."""
    kind = "List price" if read.list_only else "What was spent: reported, else contract or list price"
    said = f"{kind}, {read.scope.currency}. "
    covered: Words = (Figure(read.coverage, read.scope.spend_url(read.scope.week)), ".") if read.coverage else ()
    late: Words = ()
    if read.last_day is not None and read.last_day < read.scope.week.until - timedelta(days=1):
        late = (f" No usage has come in after {formatting.day(read.last_day)}.",)
    return (said if covered else said.strip(), *covered, *late, " Days in UTC.")


# Tiles


def _tiles(read: Read) -> tuple[Tile, ...]:
    return (_last_week(read), _mean(read), _month(read))


def _last_week(read: Read) -> Tile:
    scope = read.scope
    label = "Last week" if _when(read) == "last week" else f"Week {scope.number}"
    figure = Figure(_figure(read.week.spent, scope.currency), scope.spend_url(scope.week))
    if read.before.spent is None:
        words = "the week before is unknown" if read.before.is_used else "no week before to compare with"
        return Tile(label, figure, words=(words,))
    before = Figure(formatting.money_in_prose(read.before.spent, scope.currency), scope.spend_url(scope.before))
    on: Words = (before, f" in week {scope.before.start.isocalendar().week}")
    if read.week.spent is None:
        return Tile(label, figure, words=on)
    return Tile(label, figure, formatting.change(read.week.spent, read.before.spent), ("on ", *on))


def _mean(read: Read) -> Tile:
    """The mean of the weeks before that had usage, at most `MEAN_OF`, none of them a part of a week."""
    scope = read.scope
    label = f"Mean of {MEAN_OF} weeks before"
    mean = mean_before(read)
    if mean is None:
        return Tile(label, Figure("–", ""), words=("fewer than four whole weeks of usage",))
    span = earlier_span(read)
    spent = read.earlier.spent or ZERO
    change = None if read.week.spent is None else formatting.change(read.week.spent, mean)
    whole = Figure(formatting.money_in_prose(spent, scope.currency), scope.spend_url(span, grain="week"))
    return Tile(
        label,
        Figure(formatting.money_in_prose(mean, scope.currency), whole.url, MEAN),
        change,
        ("since; ", whole, " in all"),
    )


def earlier_span(read: Read) -> prices.Span:
    week = read.scope.week
    return prices.Span(week.start - (week.until - week.start) * MEAN_OF, week.start)


def mean_before(read: Read) -> Decimal | None:
    """None where usage does not reach back far enough: a mean over weeks without any would flatter this one."""
    if read.earlier.spent is None or read.first_day is None or read.first_day > earlier_span(read).start:
        return None
    return read.earlier.spent / MEAN_OF


def _month(read: Read) -> Tile:
    """The month to the week's end; where there is a budget, what is spent of that, in its own period and currency."""
    scope, span = read.scope, read.month
    if read.budget is None:
        figure = Figure(_figure(read.month_spent.spent, scope.currency), scope.spend_url(span))
        label = f"{span.start:%B} to {(span.until - date.resolution).day} {span.start:%b}"
        return Tile(label, figure, words=("no budget set",))
    pace, page = read.budget.pace, _budget_page(read.budget)
    # A sum of budgets stands on no page; what is spent of it stands there as the money of those projects.
    same = pace.currency == scope.currency
    url = scope.spend_url(prices.Span(pace.since, pace.on + date.resolution)) if same else page
    spent = Figure(formatting.money_in_prose(pace.spent, pace.currency), url, "" if url else BUDGETS)
    period = period_words(pace)
    return Tile(f"{period[0].upper()}{period[1:]}", spent, words=_budget_words(pace, page))


def _budget_page(budget: Budgeted) -> str:
    """Where a budget stands as it stood at the week's end; '' for a sum of several, which stands nowhere else."""
    return f"{BUDGET_PAGE}?on={budget.pace.on}" if budget.is_one else ""


def _budget_words(pace: Pace, page: str) -> Words:
    """`of $52,000; forecast $46.1k–49.5k`."""
    why = "" if page else BUDGETS
    amount = Figure(formatting.money_in_prose(pace.amount, pace.currency), page, why)
    passed = ""
    if pace.exceeded_on is not None:
        verb = "passed" if pace.is_over else "will be passed"
        passed = f", {verb} on {pace.exceeded_on.day} {pace.exceeded_on:%b}"
    if pace.low is None or pace.high is None:
        return ("of ", amount, f"{passed}; too little history for a forecast")
    return ("of ", amount, f"{passed}; forecast ", Figure(forecast_words(pace), page, why))


def _figure(amount: Decimal | None, currency: str) -> str:
    return "unknown" if amount is None else formatting.money_in_prose(amount, currency)


# Decisions


def _decision(one: Proposed) -> Decision:
    move = Figure(f"{one.project}: {one.title}", f"/decisions/{one.number}")
    return Decision(words.saving(one.saving, one.currency), move, one.why)


def _no_decision(read: Read) -> Words:
    if not read.is_advised:
        return ()
    return (
        "No move of yours is both surely cheaper and known to be as good. ",
        Figure("What was weighed, and why not", "/decisions"),
        ".",
    )


# The bridge


def _bridge(read: Read) -> Bridge | None:
    """The parts that moved, largest first; more than `PARTS` end in one line, so that they add up as read."""
    page, currency = read.bridge, read.scope.currency
    if page is None or read.week.spent is None or not page.before:
        return None
    moved = sorted((row for row in page.rows if row.shown), key=lambda row: -abs(row.shown))
    url = read.scope.bridge_url
    parts = [Part(row.words.name, _volume(read) if row.part == "volume" else _of(row), row.shown, url) for row in moved]
    if len(parts) > PARTS:
        rest = parts[PARTS - 1 :]
        names = ", ".join(part.name.lower() for part in rest)
        parts = [*parts[: PARTS - 1], Part("Everything else", names.capitalize(), sum((p.amount for p in rest), ZERO))]
    before, after = (formatting.money(amount, currency) for amount in (page.before, page.after))
    note: Words = (
        f"Week {read.scope.before.start.isocalendar().week} ",
        Figure(before, read.scope.bridge_url),
        f" to week {read.scope.number} ",
        Figure(after, read.scope.bridge_url),
        ". The parts add up exactly.",
    )
    return Bridge(_bridge_title(page.change, currency), tuple(parts), note)


def _bridge_title(change: Decimal, currency: str) -> str:
    if not change:
        return "What moved, though the total did not"
    return f"Why it {'rose' if change > 0 else 'fell'} by {formatting.money(abs(change), currency)}"


def _volume(read: Read) -> str:
    more = read.week.tokens - read.before.tokens
    return f"{formatting.mtok(abs(more))} Mtok {'more' if more > 0 else 'fewer'}, all else equal"


def _of(row: Row) -> str:
    """What a part is mostly made of: its largest item, else what the part means."""
    if row.projects:
        return ", ".join(one.name for one in row.projects[:3])
    if not row.items:
        return row.words.means
    alone = len(row.items) == 1 and not row.others
    return f"{'' if alone else 'Mostly '}{row.items[0].name}, {row.items[0].sold}"
