"""How evaluations are put into words: scores in points of 100, verdicts, and the finding of a page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from dashboards import formatting
from pricing.noninferiority import Verdict
from usage.evaluation_comparisons import Comparison

THOUSAND = 1000
BADGES = {
    Verdict.BETTER: ("good", "better"),
    Verdict.EQUAL: ("good", "equal"),
    Verdict.WORSE: ("worse", "worse"),
    Verdict.NOT_ENOUGH: ("thin", "not enough evidence"),
}


def points(share: Decimal | float, decimals: int = 1) -> str:
    """A share in points of 100: 0.825 is `82.5`."""
    return f"{_rounded(share, decimals):f}"


def signed(share: Decimal | float, decimals: int = 1) -> str:
    """A difference in points of 100 with its sign: `−0.4`, `+1.4`, `0.0`."""
    found = _rounded(share, decimals)
    sign = "+" if found > 0 else "−" if found < 0 else ""
    return f"{sign}{abs(found):f}"


def margin_words(margin: Decimal) -> str:
    """`3 points`, `1 point`."""
    said = f"{(margin * 100).normalize():f}"
    return f"{said} {'point' if said == '1' else 'points'}"


def label(name: str, effort: str) -> str:
    """A model with its effort, which is a variant of its own."""
    return f"{name} ({effort})" if effort else name


def label_of(comparison: Comparison, which: str) -> str:
    run = comparison.candidate if which == "candidate" else comparison.current
    return label(run.model.name if run.model else run.raw_name, run.effort)


def badge(comparison: Comparison) -> tuple[str, str]:
    """The kind and the words of a verdict's badge."""
    return BADGES[comparison.judgement.verdict] if comparison.judgement else ("unknown", "unknown")


def settles(comparison: Comparison) -> str:
    """What would settle what is open; '' where it is settled."""
    if comparison.judgement is None or comparison.judgement.verdict is not Verdict.NOT_ENOUGH:
        return ""
    items, of = comparison.judgement.items, comparison.difference
    if items is None:
        return "no number of items would settle it: the difference lies on the margin" if of and of.n else (
            "how many items would settle it is unknown: a run does not say how many it has"
        )  # fmt: skip
    if items > 10_000_000:
        return "more than ten million items would be needed"
    each = "" if of and of.is_paired else " of each"
    return f"about {formatting.count(items)} items{each} would settle it"


def verdict_sentence(comparison: Comparison) -> str:
    """The finding of a comparison."""
    candidate, current = label_of(comparison, "candidate"), label_of(comparison, "current")
    suite, allowed = comparison.current.suite, margin_words(comparison.margin)
    if comparison.judgement is None or comparison.difference is None:
        return f"Nothing can be said of {candidate} against {current} on {suite}."
    how = f"on {suite}: {ends(comparison)} points"
    match comparison.judgement.verdict:
        case Verdict.BETTER:
            return f"{candidate} is better than {current} {how}."
        case Verdict.EQUAL:
            return f"{candidate} is as good as {current} {how}, where {allowed} are allowed."
        case Verdict.WORSE:
            return f"{candidate} is worse than {current} {how}, where {allowed} are allowed."
    return f"There is not enough evidence that {candidate} is as good as {current}: {settles(comparison)}."


def ends(comparison: Comparison) -> str:
    """`−0.4, and between −2.2 and +1.4`."""
    of = comparison.difference
    return "" if of is None else f"{signed(of.value)}, and between {signed(of.low)} and {signed(of.high)}"


def difference(comparison: Comparison) -> tuple[str, str]:
    """The difference and its interval, as a table shows them."""
    of = comparison.difference
    return ("", "") if of is None else (signed(of.value), f"{signed(of.low)} to {signed(of.high)}")


def per_thousand(usd_per_answer: Decimal | None) -> Decimal | None:
    return None if usd_per_answer is None else usd_per_answer * THOUSAND


def finding(
    suite: str, current: str, margin: Decimal, others: Sequence[tuple[str, Comparison, Decimal | None]],
    costs: Decimal | None,
) -> str:  # fmt: skip
    """The finding of a suite: the cheapest model that is as good as the current one, or what is missing.

    `others`: name, comparison and USD a thousand answers of every other model; `costs`: those of the current one.
    """
    if not others:
        return f"{current} alone was evaluated on {suite}: give a second model the same items to compare them."
    good = [one for one in others if one[1].judgement and one[1].judgement.verdict in (Verdict.EQUAL, Verdict.BETTER)]
    cheaper = [(cost, name) for name, _, cost in good if cost is not None and costs is not None and cost < costs]
    allowed = margin_words(margin)
    if cheaper and costs is not None:
        cost, name = min(cheaper)
        share = formatting.multiple(costs / cost) if cost else ""
        more = f"which costs {share} as much" if share else "for nothing"
        return f"On {suite} {name} is as good as {current}, {more}."
    if good:
        names = good[0][0] if len(good) == 1 else f"{len(good)} models are"
        verb = f"{names} is" if len(good) == 1 else names
        priced = "none of them states a lower cost" if len(good) > 1 else "no lower cost is stated"
        return f"On {suite} {verb} as good as {current}, within {allowed}; {priced}."
    open_ones = [one for one in others if one[1].judgement and one[1].judgement.verdict is Verdict.NOT_ENOUGH]
    if open_ones:
        some = f"of {len(open_ones)} of them" if len(open_ones) < len(others) else "of any"
        only = settles(open_ones[0][1]) if len(others) == 1 else f"there is not enough evidence {some}"
        return f"Nothing is known to be as good as {current} on {suite}: {only}."
    return f"Every other model is worse than {current} on {suite}, by more than {allowed}."


def _rounded(share: Decimal | float, decimals: int) -> Decimal:
    found = share if isinstance(share, Decimal) else Decimal(repr(float(share)))
    return (found * 100).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0
