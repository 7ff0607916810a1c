"""What each source's claims for one slot cover in effective time, as it was known at an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, pairwise

from pricing.acceptance.facts import ACCEPT, FIRST_SALE, ClaimFact, Hold, SourceFact
from pricing.acceptance.moves import HELD, REFUSED, UNIT_FIX, Evidence, is_judged, is_odd, is_steep
from pricing.sources import TRUSTS


@dataclass(frozen=True, slots=True)
class Span:
    """A claim with the time it covers by the evidence of one epoch; `start` None = since ever."""

    claim: ClaimFact
    start: datetime | None
    until: datetime | None
    repairs: ClaimFact | None = None
    replaced: bool = False
    """Nobody stated its start, and its end is when its own source came to see another price: it may have ended long
    before, at any time since the source had looked last."""

    def covers(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.until is None or moment < self.until)

    def speaks_of(self, moment: datetime) -> bool:
        """Whether the claim is evidence for the moment, not only a price whose start nobody stated."""
        if self.start is not None and self.claim.basis in ("announced", "documented", "manual"):
            return True
        return moment >= self.claim.evidence_at or (self.start is None and self.until is not None)

    @property
    def is_undated(self) -> bool:
        """Whether its source states neither its start nor the end it has, if that was seen."""
        return self.start is None and (self.until is None or self.until != self.claim.effective_until)

    def is_only_seen_to_end(self, moment: datetime) -> bool:
        """Whether all it says of the moment is that the price, whose start nobody stated, was later seen to end."""
        return self.is_undated and self.until is not None and moment < self.claim.evidence_at


@dataclass
class Laid:
    """The spans of one slot at one epoch, and what is held back of them."""

    spans: list[Span] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


def has_odd_move(claims: Sequence[ClaimFact], sources: Mapping[str, SourceFact]) -> bool:
    """Whether a source's claims for one slot contain a step, or a first price, that evidence must judge."""
    if any(is_judged(sources[claim.source]) and is_steep(claim, sources[claim.source]) for claim in claims):
        return True
    return any(
        is_odd(old, new, sources[slug])
        for slug, own in _by_source(claims)
        if is_judged(sources[slug])
        for old, new in pairwise(sorted(own, key=_said_in_order))
        if old.schedule == new.schedule
    )


def lay_out(
    claims: Sequence[ClaimFact], epoch: datetime, sources: Mapping[str, SourceFact], decided: Mapping[int, str],
    evidence: Evidence | None,
) -> Laid:  # fmt: skip
    """Every source's spans at the epoch; with `evidence`, without what it shows to be a unit error."""
    laid = Laid()
    visible = list(_by_source([claim for claim in claims if claim.evidence_at <= epoch]))
    timetable_by = _timetable_source(visible, sources)
    for slug, own in visible:
        spans = _stated(own, epoch, sources[slug].states_history)
        if evidence is not None and is_judged(sources[slug]):
            spans = _judged(spans, epoch, sources[slug], decided, evidence, laid.holds)
        for span in spans:
            if not span.claim.schedule or slug == timetable_by or decided.get(span.claim.id) == ACCEPT:
                laid.spans.append(span)
    if laid.holds:
        # A copy of a source that is not believed is not believed either.
        laid.spans = [span for span in laid.spans if not _echoes(span, laid.holds, sources, decided)]
    return laid


def _by_source(claims: Sequence[ClaimFact]) -> Iterator[tuple[str, list[ClaimFact]]]:
    for slug, own in groupby(sorted(claims, key=lambda c: c.source), key=lambda c: c.source):
        yield slug, list(own)


def _said_in_order(claim: ClaimFact) -> tuple[object, ...]:
    """A source's claims of each schedule in the order it made them."""
    starts = claim.effective_from or FIRST_SALE
    return (claim.schedule, claim.first_seen_at, starts, claim.evidence_at, claim.amount, claim.id)


def _timetable_source(
    visible: Sequence[tuple[str, Sequence[ClaimFact]]], sources: Mapping[str, SourceFact]
) -> str | None:  # fmt: skip
    """The one source whose time-of-day windows count: windows of two sources are two readings of one rule."""
    with_windows = [slug for slug, own in visible if any(claim.schedule for claim in own)]
    return min(with_windows, key=lambda s: (TRUSTS.index(sources[s].trust), sources[s].precedence, s), default=None)


def _stated(own: Sequence[ClaimFact], epoch: datetime, states_history: bool) -> list[Span]:
    """What one source's claims for a slot cover, as it had said by the epoch."""
    spans = []
    for claim in own:
        gone = claim.withdrawn_at is not None and claim.withdrawn_at <= epoch
        until = claim.effective_until
        if claim.until_known_at is not None and claim.until_known_at > epoch:
            until = None
        if states_history:
            if not gone:
                start = claim.effective_from
                noticed = start is None and until is not None and until in _noticed(own)
                spans.append(Span(claim, start, until, replaced=noticed))
            continue
        # A source that states the present: a price ends when the source stops saying it, and a later price that
        # states no start of its own began when it was first seen.
        if gone:
            until = min(filter(None, (until, claim.withdrawn_at)))
        start = claim.effective_from
        if start is None and any(c.schedule == claim.schedule and c.first_seen_at < claim.first_seen_at for c in own):
            start = claim.first_seen_at
        if start is None or until is None or start < until:
            spans.append(Span(claim, start, until))
    return spans


def _noticed(own: Sequence[ClaimFact]) -> set[datetime | None]:
    """The starts that a source has by what it saw, and not by anybody's word."""
    return {claim.effective_from for claim in own if claim.basis == "observed"}


def _judged(
    spans: Sequence[Span], epoch: datetime, source: SourceFact, decided: Mapping[int, str], evidence: Evidence,
    holds: list[Hold],
) -> list[Span]:  # fmt: skip
    """The spans of one source with its odd moves judged one after the other against the last good price."""
    kept: list[Span] = []
    wrong: Span | None = None
    for span in sorted(spans, key=lambda s: _said_in_order(s.claim)):
        claim = span.claim
        good = kept[-1] if kept and kept[-1].claim.schedule == claim.schedule else None
        if good is None and is_steep(claim, source) and decided.get(claim.id) != ACCEPT:
            verdict = evidence.judge_first(claim, epoch)
            if verdict.kind in (HELD, REFUSED):
                wrong = span
                if claim.known_by(epoch):
                    holds.append(Hold(claim, None, verdict.kind, verdict.why))
                continue
        if good is None and wrong is not None and wrong.claim.schedule == claim.schedule:
            kept.append(replace(span, start=wrong.start, repairs=wrong.claim))
            continue
        if good is None or decided.get(claim.id) == ACCEPT or not is_odd(good.claim, claim, source):
            kept.append(span)
            continue
        verdict = evidence.judge(good.claim, claim, epoch)
        if verdict.kind == UNIT_FIX:
            kept[-1] = replace(span, start=good.start, repairs=good.repairs or good.claim)
        elif verdict.kind in (HELD, REFUSED):
            kept[-1] = replace(good, until=_later(good.until, span.until))
            if claim.known_by(epoch):
                holds.append(Hold(claim, good.claim, verdict.kind, verdict.why))
        else:
            kept.append(span)
    return kept


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _echoes(
    span: Span, holds: Sequence[Hold], sources: Mapping[str, SourceFact], decided: Mapping[int, str]
) -> bool:  # fmt: skip
    mine = sources[span.claim.source]
    return decided.get(span.claim.id) != ACCEPT and any(
        mine.slug != hold.claim.source
        and mine.is_kin(sources[hold.claim.source])
        and span.claim.schedule == hold.claim.schedule
        and (span.claim.amount * hold.claim.per, span.claim.currency)
        == (hold.claim.amount * span.claim.per, hold.claim.currency)
        for hold in holds
    )
