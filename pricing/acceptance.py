"""Which price we hold true: a pure function of what the sources claim and what people decided.

`accept(claims, sources, decisions)` looks at every moment at which evidence appeared (an *epoch*), lays out by the
evidence of that moment which price held when, and joins epochs that say the same. It reads nothing else, so the
order in which snapshots were replayed cannot matter, and a recomputation must give the stored rows again.

Between claims for one moment the choice is, in this order:
1. a person's decision;
2. a claim that speaks of the moment itself over one that only did not say when its price began;
3. the better trust (official page, vendor API, curated dataset, aggregator);
4. a price whose stated start is younger than the other's last observation (the other could not know it);
5. the declared precedence of the sources, then the younger observation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pricing.sources import CURATED, TRUSTS

FIRST_SALE = datetime(2020, 6, 11, tzinfo=UTC)
"""The OpenAI API was announced on this day; no LLM token was on sale before. A start nobody states begins here."""

AGREES_WITHIN = Decimal("0.005")
"""Two amounts within half a percent of each other agree (the tolerance of the price audits)."""

FRESH = timedelta(days=14)
"""An official price seen this recently is grade A."""

STALE = timedelta(days=60)
"""A price still said to hold and not seen for this long is grade D."""


@dataclass(frozen=True, slots=True)
class SourceFact:
    """What acceptance needs to know of a source."""

    slug: str
    name: str
    trust: str
    precedence: int
    copies: tuple[str, ...] = ()
    states_history: bool = True


@dataclass(frozen=True, slots=True)
class ClaimFact:
    """One claim; the key is all that makes it a price *of* something."""

    id: int
    source: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    context_mode: str
    schedule: str
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime | None
    effective_until: datetime | None
    basis: str
    precision: str
    evidence_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None = None
    until_known_at: datetime | None = None
    """From when the evidence of the end existed; None: with the claim itself."""
    url: str = ""

    @property
    def slot(self) -> tuple[str, str, str, int, str, str]:
        """The key without the schedule: sources compete for a slot with all their schedules at once."""
        return (self.unit, self.qualifier, self.service_tier, self.context_from, self.context_op, self.context_mode)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted price: held [effective), known [known), by this claim, for this reason."""

    claim: ClaimFact
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    basis: str
    precision: str
    observed_at: datetime
    trust: str
    agreeing: tuple[str, ...]
    disputed_by: tuple[ClaimFact, ...]
    why: str

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two epochs' segments the same price."""
        claim = self.claim
        return (claim.slot, claim.schedule, self.effective_from, self.effective_until, claim.amount, claim.per,
                claim.currency)  # fmt: skip


def accept(
    claims: Iterable[ClaimFact], sources: Mapping[str, SourceFact], decisions: Mapping[int, str] | None = None
) -> list[Accepted]:
    """The accepted prices of one offering, all epochs, in a stable order.

    `decisions` maps claim ids to "accept" or "reject". No two results of one key overlap in both times.
    """
    decided = decisions or {}
    slots: dict[tuple[object, ...], list[ClaimFact]] = defaultdict(list)
    for claim in claims:
        if decided.get(claim.id) != "reject":
            slots[claim.slot].append(claim)
    accepted: list[Accepted] = []
    for slot in sorted(slots, key=repr):
        ordered = sorted(slots[slot], key=lambda c: (c.evidence_at, c.source, c.schedule, c.first_seen_at, c.amount))
        accepted += _slot(ordered, sources, decided)
    return accepted


def _slot(claims: Sequence[ClaimFact], sources: Mapping[str, SourceFact], decided: Mapping[int, str]) -> list[Accepted]:
    if len(claims) == 1 and claims[0].withdrawn_at is None and claims[0].until_known_at is None:
        return [_alone(claims[0], sources, decided)]
    moments = {moment for c in claims for moment in (c.evidence_at, c.withdrawn_at, c.until_known_at)}
    epochs = sorted(moment for moment in moments if moment is not None)
    done: list[Accepted] = []
    standing: dict[tuple[object, ...], Accepted] = {}
    for epoch in epochs:
        segments = {segment.identity: segment for segment in _at_epoch(claims, epoch, sources, decided)}
        for identity in [identity for identity in standing if identity not in segments]:
            done.append(replace(standing.pop(identity), known_until=epoch))
        for identity, segment in segments.items():
            earlier = standing.get(identity)
            # The reasons are the newest evidence's; the price has been known since it first appeared.
            standing[identity] = replace(segment, known_from=earlier.known_from) if earlier else segment
    done += standing.values()
    return sorted(done, key=lambda a: (a.claim.schedule, a.known_from, a.effective_from))


def _alone(claim: ClaimFact, sources: Mapping[str, SourceFact], decided: Mapping[int, str]) -> Accepted:
    """What the general rule gives for a claim without a rival: most of a catalogue, ten times as fast."""
    span = _Span(claim, claim.effective_from, claim.effective_until)
    start = claim.effective_from or FIRST_SALE
    return _segment(span, start, claim.effective_until, claim.evidence_at, [span], sources, decided)


@dataclass(frozen=True, slots=True)
class _Span:
    """A claim with the time it covers by the evidence of one epoch; `start` None = since ever."""

    claim: ClaimFact
    start: datetime | None
    until: datetime | None

    def covers(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.until is None or moment < self.until)

    def speaks_of(self, moment: datetime) -> bool:
        """Whether the claim is evidence for the moment, not only a price whose start nobody stated."""
        if self.start is not None and self.claim.basis in ("announced", "documented", "manual"):
            return True
        return moment >= self.claim.evidence_at or (self.start is None and self.until is not None)


def _at_epoch(
    claims: Sequence[ClaimFact], epoch: datetime, sources: Mapping[str, SourceFact], decided: Mapping[int, str]
) -> Iterable[Accepted]:
    spans: dict[str, list[_Span]] = defaultdict(list)
    by_source: dict[str, list[ClaimFact]] = defaultdict(list)
    for claim in claims:
        if claim.evidence_at <= epoch:
            by_source[claim.source].append(claim)
    timetable_by = _timetable_source(by_source, sources)
    for source, own in by_source.items():
        for span in _spans(own, epoch, sources[source].states_history):
            if not span.claim.schedule or source == timetable_by or decided.get(span.claim.id) == "accept":
                spans[span.claim.schedule].append(span)
    for schedule in sorted(spans):
        yield from _timeline(spans[schedule], epoch, sources, decided)


def _timetable_source(by_source: Mapping[str, Sequence[ClaimFact]], sources: Mapping[str, SourceFact]) -> str | None:
    """The one source whose time-of-day windows count: windows of two sources are two readings of one rule."""
    with_windows = [source for source, own in by_source.items() if any(claim.schedule for claim in own)]
    return min(with_windows, key=lambda s: (TRUSTS.index(sources[s].trust), sources[s].precedence, s), default=None)


def _spans(own: Sequence[ClaimFact], epoch: datetime, states_history: bool) -> list[_Span]:
    """What one source's claims for a slot cover, as it had said by the epoch."""
    spans = []
    for claim in own:
        gone = claim.withdrawn_at is not None and claim.withdrawn_at <= epoch
        until = claim.effective_until
        if claim.until_known_at is not None and claim.until_known_at > epoch:
            until = None
        if states_history:
            if not gone:
                spans.append(_Span(claim, claim.effective_from, until))
            continue
        # A source that states the present: a price ends when the source stops saying it, and a later price that
        # states no start of its own began when it was first seen.
        if gone:
            until = min(filter(None, (until, claim.withdrawn_at)))
        start = claim.effective_from
        if start is None and any(c.schedule == claim.schedule and c.first_seen_at < claim.first_seen_at for c in own):
            start = claim.first_seen_at
        if start is None or until is None or start < until:
            spans.append(_Span(claim, start, until))
    return spans


def _timeline(
    spans: Sequence[_Span], epoch: datetime, sources: Mapping[str, SourceFact], decided: Mapping[int, str]
) -> list[Accepted]:
    """The accepted prices of one key by the evidence of one epoch, one after the other in effective time."""
    edges = {FIRST_SALE}
    for span in spans:
        edges |= {span.start or FIRST_SALE} | ({span.until} if span.until else set())
        if span.start is None and span.until is None:
            edges.add(max(span.claim.evidence_at, FIRST_SALE))
    cuts: list[datetime | None] = [*sorted(edge for edge in edges if edge >= FIRST_SALE), None]
    timeline: list[Accepted] = []
    for lo, hi in zip(cuts, cuts[1:], strict=False):
        assert lo is not None  # noqa: S101 - only the last cut is open
        here = [span for span in spans if span.covers(lo)]
        if not here:
            continue
        best = here[0] if len(here) == 1 else min(here, key=lambda s: _rank(s, lo, epoch, here, sources, decided))
        segment = _segment(best, lo, hi, epoch, here, sources, decided)
        if timeline and timeline[-1].effective_until == lo and _same_price(timeline[-1].claim, best.claim):
            earlier = timeline[-1]
            timeline[-1] = replace(
                segment, claim=earlier.claim, effective_from=earlier.effective_from, basis=earlier.basis,
                precision=earlier.precision, observed_at=max(segment.observed_at, earlier.observed_at),
                why=_why(earlier.claim, segment, sources),
            )  # fmt: skip
        else:
            timeline.append(segment)
    return timeline


def _same_price(one: ClaimFact, other: ClaimFact) -> bool:
    return (one.amount, one.per, one.currency) == (other.amount, other.per, other.currency)


def _rank(
    span: _Span, moment: datetime, epoch: datetime, rivals: Sequence[_Span], sources: Mapping[str, SourceFact],
    decided: Mapping[int, str],
) -> tuple[object, ...]:  # fmt: skip
    claim, source = span.claim, sources[span.claim.source]
    seen_at = min(claim.last_seen_at, epoch)
    outdated = any(
        rival.claim.source != claim.source and rival.start is not None and seen_at < rival.start <= moment
        and TRUSTS.index(sources[rival.claim.source].trust) <= TRUSTS.index(source.trust)
        for rival in rivals
    )  # fmt: skip
    return (
        decided.get(claim.id) != "accept",
        not span.speaks_of(moment),
        TRUSTS.index(source.trust),
        outdated,
        source.precedence,
        -seen_at.timestamp(),
        # Of one source's own claims for a moment, the one that starts later is the more specific.
        -(span.start or FIRST_SALE).timestamp(),
        claim.source,
        claim.amount,
    )


def _segment(
    best: _Span, lo: datetime, hi: datetime | None, epoch: datetime, here: Sequence[_Span],
    sources: Mapping[str, SourceFact], decided: Mapping[int, str],
) -> Accepted:  # fmt: skip
    claim = best.claim
    agreeing, disputing = ((claim.source,), []) if len(here) == 1 else _voices(best, lo, here, sources)
    if best.start == lo:
        basis, precision = claim.basis, claim.precision
    else:
        basis, precision = "inferred", "unknown" if lo == FIRST_SALE else "gap"
    manual = decided.get(claim.id) == "accept"
    segment = Accepted(
        claim=claim,
        effective_from=lo,
        effective_until=hi,
        known_from=epoch,
        known_until=None,
        basis="manual" if manual else basis,
        precision=precision,
        observed_at=claim.last_seen_at,
        trust="decision" if manual else sources[claim.source].trust,
        agreeing=agreeing,
        disputed_by=tuple(sorted((span.claim for span in disputing), key=lambda c: c.id)),
        why="",
    )
    return replace(segment, why=_why(claim, segment, sources))  # fmt: skip


def _voices(
    best: _Span, moment: datetime, here: Sequence[_Span], sources: Mapping[str, SourceFact]
) -> tuple[tuple[str, ...], list[_Span]]:
    """The independent sources that agree (the accepted one first), and the claims of the others that do not."""
    agreeing, heard, disputing = [best.claim.source], {best.claim.source, *sources[best.claim.source].copies}, []
    for span in sorted(here, key=lambda s: s.claim.source):
        source = sources[span.claim.source]
        if span.claim.source == best.claim.source or not span.speaks_of(moment):
            continue
        if not agrees(span.claim, best.claim):
            disputing.append(span)
        elif source.slug not in heard and heard.isdisjoint(source.copies):
            agreeing.append(source.slug)
            heard |= {source.slug, *source.copies}
    return tuple(agreeing), disputing


def agrees(one: ClaimFact, other: ClaimFact) -> bool:
    """Whether two claims name the same price within half a percent."""
    if one.currency != other.currency:
        return False
    mine, theirs = one.amount / one.per, other.amount / other.per
    return abs(mine - theirs) <= AGREES_WITHIN * max(mine, theirs)


def _why(claim: ClaimFact, segment: Accepted, sources: Mapping[str, SourceFact]) -> str:
    """Why the segment is held true, in a sentence; `claim` is the one its price began with."""
    name = sources[claim.source].name
    if segment.trust == "decision":
        sentence = f"A person accepted what {name} says"
    elif claim.effective_from is None:
        sentence = f"{name} states it without a start"
    elif claim.basis == "observed":
        sentence = f"{name} first showed it on {claim.evidence_at:%Y-%m-%d}"
    else:
        sentence = f"{name} dates it {claim.effective_from:%Y-%m-%d}"
    others = [sources[slug].name for slug in segment.agreeing if slug != claim.source]
    if others:
        sentence += f"; {' and '.join(others)} {'agrees' if len(others) == 1 else 'agree'}"
    if segment.disputed_by:
        said = ", ".join(f"{sources[c.source].name} says {c.amount.normalize():f}" for c in segment.disputed_by)
        sentence += f"; {said}, which is kept as a disagreement"
    return sentence + "."


def grade(
    *, trust: str, agreeing: Sequence[str], disputed: bool, evidence_at: datetime, observed_at: datetime,
    effective_until: datetime | None, asked_at: datetime,
) -> str:  # fmt: skip
    """How well a price is known, A to D, at the moment it is asked for.

    A: the vendor's own page or API, seen within 14 days of the moment, or a person's decision. B: two independent
    sources agree. C: one source that is not the vendor. D: disputed and alone, or said to hold still and not seen
    for 60 days. A moment before the evidence began is at best C.
    """
    if trust == "decision":
        return "A"
    still_open = effective_until is None or effective_until > asked_at
    if still_open and asked_at - observed_at > STALE:
        return "D"
    if disputed and len(agreeing) < 2:
        return "D"
    if asked_at < evidence_at:
        return "C"
    if TRUSTS.index(trust) < TRUSTS.index(CURATED) and asked_at - observed_at <= FRESH:
        return "A"
    return "B" if len(agreeing) > 1 else "C"
