"""The list of decisions: what to decide first, what waits, what was promised and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from dashboards import formatting
from dashboards.models import Proposal
from dashboards.pages.decisions import words
from usage.advice import MOST, Advice, Range, Recommendation, Refused
from usage.counterfactual import Outcome, outcome

ZERO = Decimal(0)
SECTIONS: Final = {
    "open": ("proposed",), "accepted": ("accepted",), "moved": ("done", "realised"), "rejected": ("rejected",),
    "lapsed": ("lapsed",),
}  # fmt: skip
"""What the page tells apart, and which states are in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One decision as a table shows it."""

    of: Proposal
    move: Recommendation
    title: str
    url: str
    badge: tuple[str, str]
    saving: str
    owner: str
    is_overdue: bool
    overdue: str
    realised: str
    outcome: Outcome | None
    pays_back: str
    why: str

    @property
    def state(self) -> str:
        return self.of.state

    @property
    def promise(self) -> Range:
        return Range(self.of.saving_low, self.of.saving_high)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One project: since when it last moved, and what waiting has cost it since something equal cost less."""

    name: str
    slug: str
    last_moved: date | None
    ago: str
    waited: Decimal | None
    since: date | None
    refused: int


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    figure: str
    compared: str
    said: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole list. `asked` is the section that the address asks for, '' all of them."""

    rows: tuple[Row, ...]
    waiting: tuple[Waiting, ...]
    currency: str
    today: date
    asked: str = ""
    advised: date | None = None
    coverage: str = ""

    def section(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.state in SECTIONS[name]]

    @property
    def first(self) -> list[Row]:
        """What is decided first: the moves that surely save most."""
        return self.section("open")[:MOST]

    @property
    def open_saving(self) -> Range:
        """What all open ones save a month; those of another currency are in no sum."""
        return _sum(self.section("open"), self.currency)

    @property
    def calibration(self) -> tuple[int, int]:
        """How many realised savings are what was promised, and of how many that is known."""
        known = [row.outcome for row in self.section("moved") if row.outcome is not None]
        return known.count(Outcome.KEPT), len(known)


def page(
    proposals: Sequence[Proposal], advice: Mapping[int, Advice], names: Mapping[int, tuple[str, str]], currency: str,
    today: date, asked: str = "",
) -> Page:  # fmt: skip
    """The page of proposals (dearest first) and the newest advice by project."""
    waiting = [_waiting(names[pk], found, today) for pk, found in advice.items() if pk in names]
    waiting.sort(key=lambda one: (one.waited is None, -(one.waited or ZERO), one.name))
    found = [one for pk, one in advice.items() if pk in names]
    return Page(
        tuple(row_of(one, today) for one in proposals), tuple(waiting), currency, today, asked,
        max((one.on for one in found), default=None), _coverage(found),
    )  # fmt: skip


def _coverage(advice: Sequence[Advice]) -> str:
    """How much of the money the advice weighs."""
    spent = sum((one.coverage.spent for one in advice), ZERO)
    weighed = sum((one.coverage.weighed for one in advice), ZERO)
    return f"{formatting.share(weighed, spent)} of what was spent is weighed" if spent > 0 else ""


def row_of(one: Proposal, today: date) -> Row:
    move = one.move
    overdue = one.is_overdue(today)
    saved = realised_of(one)
    return Row(
        one, move, words.title(move), f"/decisions/{one.pk}", words.verdict(move),
        words.saving(Range(one.saving_low, one.saving_high), one.currency), one.owner, overdue,
        f"{words.since_words(one.due, today)} late" if overdue else "",
        "" if saved is None else words.saving(saved, one.currency),
        outcome_of(one), words.pays_back(words.once(move), Range(one.saving_low, one.saving_high)),
        words.first_sentence(move.why),
    )  # fmt: skip


def realised_of(one: Proposal) -> Range | None:
    """What a month of the same work has saved; None where it is not known."""
    if one.realised_low is None or one.realised_high is None:
        return None
    return Range(one.realised_low, one.realised_high)


def outcome_of(one: Proposal) -> Outcome | None:
    """What became of a promise; None before what it saved is told as realised."""
    found = realised_of(one)
    if found is None or one.state != Proposal.State.REALISED:
        return None
    return outcome(Range(one.saving_low, one.saving_high), found)


def finding(of: Page) -> str:
    """What is to be decided, in a sentence."""
    rows, overdue = of.section("open"), [row for row in of.section("accepted") if row.is_overdue]
    late = f" {_counted(len(overdue), 'accepted move is', 'accepted moves are')} overdue." if overdue else ""
    if rows:
        saving = words.saving(of.open_saving, of.currency)
        verb = "saves" if len(rows) == 1 else "save"
        return f"{_counted(len(rows), 'decision', 'decisions')} {verb} {saving} a month.{late}"
    if late:
        return f"Nothing new to decide.{late}"
    if not of.rows and not of.waiting:
        return "No advice yet: it is made of each project’s usage once a day."
    return "Nothing to decide: nothing equal costs surely less than what you use."


def tiles(of: Page) -> list[Tile]:
    """Open, accepted, realised, and how far promises can be trusted."""
    accepted, moved = of.section("accepted"), of.section("moved")
    known = [row for row in moved if realised_of(row.of) is not None and row.of.currency == of.currency]
    late = sum(row.is_overdue for row in accepted)
    inside, told = of.calibration
    saved = Range(
        sum((row.of.realised_low or ZERO for row in known), ZERO),
        sum((row.of.realised_high or ZERO for row in known), ZERO),
    )
    return [
        _money("Open", of.section("open"), of, "per month", "to be decided"),
        _money("Accepted", accepted, of, "per month, promised", f"{late} overdue" if late else "none overdue"),
        Tile(
            "Realised", words.saving(saved, of.currency) if known else "–",
            f"per month, of {words.saving(_sum(known, of.currency), of.currency)} promised" if known else "nothing yet",
            f"{len(moved):,} {'move' if len(moved) == 1 else 'moves'} made, {len(known)} measured", "?state=moved",
        ),
        Tile(
            "Promises kept", f"{inside} of {told}" if told else "–", "inside the promised range, to a tenth",
            "30 days after the move, the middle of what it saved" if told else "told 30 days after a move",
            "?state=moved",
        ),
    ]  # fmt: skip


def _money(label: str, rows: Sequence[Row], of: Page, per: str, said: str) -> Tile:
    figure = words.saving(_sum(rows, of.currency), of.currency) if rows else "–"
    state = label.lower()
    count = f"{len(rows):,} {'decision' if len(rows) == 1 else 'decisions'}"
    return Tile(label, figure, f"{per}, in {count}" if rows else "nothing", said if rows else "", f"?state={state}")


def _sum(rows: Sequence[Row], currency: str) -> Range:
    own = [row.of for row in rows if row.of.currency == currency]
    return Range(sum((one.saving_low for one in own), ZERO), sum((one.saving_high for one in own), ZERO))


def _waiting(project: tuple[str, str], found: Advice, today: date) -> Waiting:
    known = [move.waited for move in found.decisions if move.waited is not None]
    since = min((move.since for move in found.decisions if move.since), default=None)
    return Waiting(
        *project, found.last_moved, words.since_words(found.last_moved, today), sum(known, ZERO) if known else None,
        since, len(found.refused),
    )  # fmt: skip


def _counted(number: int, one: str, many: str) -> str:
    spelled = {1: "One", 2: "Two", 3: "Three"}.get(number, f"{number:,}")
    return f"{spelled} {one if number == 1 else many}"


TABLE_HEAD = (
    "decision", "project", "state", "kind", "current_model", "current_provider", "current_sku", "current_tier",
    "current_effort", "candidate_model", "candidate_provider", "candidate_sku", "candidate_tier", "candidate_effort",
    "verdict", "currency", "saving_low_per_month", "saving_high_per_month", "paying_per_month", "window_from",
    "window_until", "proposed_at", "decided_at", "decided_by", "owner", "due", "overdue", "reason", "moved_on",
    "realised_low_per_month", "realised_high_per_month", "realised_until", "inside_promise", "waited",
)  # fmt: skip


def table_row(row: Row) -> list[Any]:
    """A decision for a program; empty is unknown."""
    one, move = row.of, row.move
    old, new = move.current, move.candidate
    return [
        one.pk, one.project.slug, one.state, move.kind.value, old.model, old.provider, old.sku, old.service_tier,
        old.effort, new.model, new.provider, new.sku, new.service_tier, new.effort, move.verdict.value, one.currency,
        one.saving_low, one.saving_high, move.paying, one.since, one.until, one.proposed_at, one.decided_at,
        one.decided_by, one.owner, one.due, row.is_overdue, one.reason, one.moved_on, one.realised_low,
        one.realised_high, one.realised_until, row.outcome and row.outcome is Outcome.KEPT, move.waited,
    ]  # fmt: skip


# What the page shows below the first three


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the list: which columns it has is the template's, by `name`."""

    name: str
    title: str
    rows: list[Row]
    note: str


_TITLES = {
    "open": ("To be decided", "Sorted by what is saved at least. Money is of a month at the volume of the token log."),
    "accepted": (
        "Accepted, not moved yet", "A move is seen in the traffic: after three days on which half of it went over.",
    ),
    "moved": (
        "Moved", "Realised: what the same requests would have cost before, at each day’s prices, less what was spent; "
        "for a month of the promise’s volume.",
    ),
    "rejected": (
        "Rejected", "A move comes back only once it surely saves half as much again, or its quality is judged anew.",
    ),
    "lapsed": ("No longer recommended", "Nobody had decided when a price, a need or the evidence changed."),
}  # fmt: skip


def sections(of: Page) -> list[Section]:
    """The tables that have rows: the one asked for, else all but what lapsed."""
    names = [of.asked] if of.asked else [name for name in SECTIONS if name != "lapsed"]
    return [Section(name, _TITLES[name][0], rows, _TITLES[name][1]) for name in names if (rows := of.section(name))]


# What is not recommended


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A candidate that would cost less and is not recommended."""

    project: str
    slug: str
    title: str
    candidate: str
    candidate_slug: str
    reason: str
    why: str
    saving: str
    of: Refused
    currency: str

    @property
    def items_to_run(self) -> int | None:
        """Items of an own evaluation that would settle it; the votes of a public rating are nobody's to run."""
        by_public = any(one.decides and not words.is_own(one) for one in self.of.evidence)
        return None if by_public else self.of.items


def refusals(advice: Mapping[int, Advice], names: Mapping[int, tuple[str, str]]) -> list[RefusedRow]:
    """Every refused candidate of the newest advice, in its order, project by project."""
    found = []
    for pk, one in sorted(advice.items(), key=lambda item: names[item[0]]):
        for of in one.refused:
            saving = "" if of.saving is None else words.saving(of.saving, one.currency)
            found.append(
                RefusedRow(
                    *names[pk], words.name(of.current, of.candidate),
                    f"{of.candidate.model_name} at {of.candidate.provider_name}", of.candidate.model,
                    words.REASONS[of.reason], of.why, saving, of, one.currency,
                )
            )  # fmt: skip
    return found


def refusals_finding(rows: Sequence[RefusedRow]) -> str:
    """How many cheaper candidates are told, the nearest of each project, and how many more items could settle."""
    if not rows:
        return "Nothing that would cost less was left out."
    said = "One candidate would cost less and is not recommended"
    if len(rows) > 1:
        said = f"The {len(rows):,} nearest candidates would cost less and are not recommended"
    items = [row.items_to_run for row in rows if row.items_to_run]
    if not items:
        return f"{said}."
    return f"{said}; an evaluation could settle {len(items):,} of them, the nearest with {min(items):,} items."


REFUSED_HEAD = (
    "project", "current_model", "current_provider", "candidate_model", "candidate_provider", "candidate_sku", "reason",
    "why", "currency", "saving_low_per_month", "saving_high_per_month", "items_to_settle",
)  # fmt: skip


def refused_row(row: RefusedRow) -> list[Any]:
    of = row.of
    low, high = (None, None) if of.saving is None else (of.saving.low, of.saving.high)
    return [
        row.slug, of.current.model, of.current.provider, of.candidate.model, of.candidate.provider, of.candidate.sku,
        of.reason.value, of.why, row.currency, low, high, row.items_to_run,
    ]  # fmt: skip
