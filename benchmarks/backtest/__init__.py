"""Would the advice of the past have kept its promise? The first of each month, six projects, followed for six months.

Advice is what `usage.recommending` gives with `known_at` that morning: prices and ratings that had evidence by then.
What it promised is held against prices as they turned out, ratings that were published later, and tokens that the
other model takes (`truth` says whose word that is). Moves whose gain only the project knows (what of it can wait) are
followed for the share that the constructed project has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from statistics import median
from typing import Final

from benchmarks.backtest.following import Followed, Unfollowed, Window, follow, oracle
from benchmarks.backtest.projects import MAPPING, PER_DAY, PROJECTS, START, Constructed, table
from benchmarks.backtest.truth import Truth, months_from, paid
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from pricing import quality
from usage import assignments, ingest, observed, organisations, recommending
from usage.advice import Advice, Side
from usage.substitution.repricing import Sliced, monthly

FIRST: Final = date(2024, 8, 1)
"""The first of a month with a rating (Arena, 1 July 2024) and a month of usage before it."""
TODAY: Final = date(2026, 11, 1)
SHOWN: Final = 25


@dataclass(frozen=True, slots=True)
class Standing:
    """One project on one morning: what it paid a month, what was followed, and the most that could have been saved.

    `missed` says why the oracle's move was not advised; '' where it was, or there was none.
    """

    project: str
    on: date
    paying: Decimal
    followed: tuple[Followed, ...]
    unfollowed: tuple[Unfollowed, ...]
    possible: Decimal
    missed: str

    @property
    def kept(self) -> Decimal:
        """What its best move really saved a month; a project makes one."""
        return self.followed[0].realised if self.followed else Decimal(0)


def run(space: Workspace) -> None:
    standings = list(_standings(space))
    report = space.report
    followed = [one for standing in standings for one in standing.followed]
    report.add(Figure("mornings looked at", len(standings), "", f"{FIRST} to {_mornings()[-1]}"))
    report.add(Figure("recommendations followed", len(followed), ""))
    if not followed:
        return
    for how in ("all", *sorted({one.how for one in followed})):
        own = [one for one in followed if how in ("all", one.how)]
        inside, width = sum(one.is_inside for one in own) / len(own), median(one.width for one in own)
        pairs = len({(one.move.current.key, one.move.candidate.key) for one in own})
        said = f"median width {width:.0%} of what was paid, {pairs} pairs"
        report.add(Figure(f"inside the promised range, {how}", 100 * inside, f"% of {len(own)}", said))
    moved = [one for one in followed if not one.move.kind.same_weights]
    judged = [one for one in moved if one.difference is not None]
    floor = sum(one.keeps_quality for one in judged) / len(judged) if judged else 0.0
    unrated = f"of {len(moved)} to another model, the others are not rated again"
    report.add(Figure("kept the quality by later ratings", 100 * floor, f"% of {len(judged)}", unrated))
    possible = sum((one.possible for one in standings), Decimal(0))
    kept = sum((one.kept for one in standings), Decimal(0))
    paying = sum((one.paying for one in standings), Decimal(0))
    report.add(
        Figure("saved of what was paid", float(100 * kept / paying), "%", f"an oracle {100 * possible / paying:.1f} %")
    )
    report.add(Figure("money left against an oracle", float(100 * (possible - kept) / possible), "% of what it saves"))
    for sentence in _failures(standings):
        report.note(sentence)
    kinds = Counter(one.move.kind.value for one in followed)
    report.note("followed by kind: " + ", ".join(f"{name} {count}" for name, count in kinds.most_common()))
    why = Counter(one.missed for one in standings if one.missed)
    report.note(
        "the oracle’s move was not advised: " + ", ".join(f"{said} {count}" for said, count in why.most_common())
    )
    left = Counter(one.why for standing in standings for one in standing.unfollowed)
    report.note("not followed: " + (", ".join(f"{why} {count}" for why, count in left.most_common()) or "none"))


def _mornings() -> list[date]:
    found: list[date] = []
    day = FIRST
    while months_from(day)[-1] < TODAY:
        found.append(day)
        day = months_from(day)[1]
    return found


def _standings(space: Workspace) -> Iterator[Standing]:
    quality.load_bundled()
    organisation, projects = organisations.create_organisation("Backtest", "backtest"), {}
    for one in PROJECTS:
        made = projects[one.slug] = organisations.create_project(organisation, one.slug.title(), one.slug)
        assignments.save_rule(
            organisation, name=one.slug, conditions=[{"field": "ext_project", "op": "in", "value": [one.slug]}],
            shares=[{"project": made.pk, "weight": "1"}],
        )  # fmt: skip
    file = space.folder / "backtest.csv"
    file.write_text("\n".join(table(_mornings()[-1])) + "\n")
    batch = ingest.import_paths(organisation, "csv", [file], "backtest", dict(MAPPING))
    assert batch.imported == (_mornings()[-1] - START).days * len(PROJECTS) * PER_DAY, batch.rejected
    truth, by_slug = Truth(organisation, TODAY), {one.slug: one for one in PROJECTS}
    for morning in _mornings():
        at = datetime.combine(morning, time.min, UTC)
        for advice in recommending.advise_all(organisation, morning, known_at=at):
            log = observed.token_log(projects[advice.project], advice.since, advice.until)
            uses = {(use.offering_id, use.service_tier): Sliced(use) for use in log.uses}
            yield _standing(truth, by_slug[advice.project], advice, Window(morning, log.days, uses))


def _standing(truth: Truth, project: Constructed, advice: Advice, window: Window) -> Standing:
    """What a morning's advice came to, of the model that the project had in use then."""
    ends = list(follow(truth, project, window, advice))
    paying, possible, missed = Decimal(0), Decimal(0), []
    for (offering, tier), sliced in window.uses.items():
        mine = truth.market(window.on).candidates[offering].at(tier)
        cost = paid(sliced, mine, window.on)
        paying += monthly(cost, window.days) if cost is not None else 0
        saving, to = oracle(truth, window, mine.side)
        possible += saving
        if to is not None and (why := _missed(advice, to)):
            missed.append((saving, why))
    followed = tuple(one for one in ends if isinstance(one, Followed))
    unfollowed = tuple(one for one in ends if isinstance(one, Unfollowed))
    why = max(missed)[1] if missed else ""
    return Standing(project.slug, window.on, paying, followed, unfollowed, possible, why)


def _missed(advice: Advice, to: Side) -> str:
    """Why a move to a model was not advised, '' where it was to any seller of it."""
    if any(one.candidate.model == to.model for one in advice.recommendations):
        return ""
    reasons = [one.reason.value for one in advice.refused if one.candidate.model == to.model]
    return reasons[0] if reasons else "nothing was known of it, or worse by what was"


def _failures(standings: Iterable[Standing]) -> Iterator[str]:
    """Promises that did not hold and moves that were worse than promised, the widest miss first, each with mornings."""
    found: dict[str, list[tuple[Decimal, date, str]]] = defaultdict(list)
    for standing in standings:
        for one in standing.followed:
            move = f"{standing.project}: {one.move.current.sku} to {one.move.candidate.key}"
            for miss, said in _misses(one):
                found[f"{move} {said.partition(' ')[0]}"].append((miss, standing.on, f"{move} {said}"))
    worst = sorted((max(every) for every in found.values()), reverse=True)
    for miss, on, sentence in worst[:SHOWN]:
        times = next(len(every) for every in found.values() if (miss, on, sentence) in every)
        more = f", and {times - 1} mornings more" if times > 1 else ""
        yield f"{on:%Y-%m} {sentence}{more}"
    if len(worst) > SHOWN:
        yield f"and {len(worst) - SHOWN} failures more"


def _misses(one: Followed) -> Iterator[tuple[Decimal, str]]:
    """How far, as a share of what was paid, and what happened."""
    if not one.is_inside:
        low, high, kept = (amount / one.move.paying for amount in (one.promised.low, one.promised.high, one.realised))
        ends = "" if one.months == one.of_months else f", sold for {one.months} of {one.of_months} months"
        yield max(low - kept, kept - high), f"promised {low:.0%} to {high:.0%} and saved {kept:.0%} ({one.how}{ends})"
    if one.difference is not None and not one.keeps_quality:
        yield -one.difference / 1000, f"is {-one.difference:.0f} points below it by later ratings"
