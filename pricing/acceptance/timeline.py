"""The accepted prices of one key by the evidence of one epoch: which of the claims for a moment is held true.

Between claims for one moment the choice is, in this order:
1. a person's decision;
2. a claim that speaks of the moment itself over one that only did not say when its price began; of the latter, one
   that was later seen to end over one that stands;
3. a claim that is not outdated: no other source states that a price began after it was last seen (14 days after, where
   the other is less to be trusted), and of a vendor's page or API, no two independent sources that looked more than
   60 days later agree on another price (then theirs holds from its last look on);
4. the vendor's own page, then its own API;
5. between datasets, the price that more independent sources state: where two agree, one alone gives way;
6. the better trust, the declared precedence of the sources, then the younger observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, groupby

from pricing.acceptance.facts import ACCEPT, FIRST_SALE, FRESH, Accepted, ClaimFact, SourceFact, agrees, same_price
from pricing.acceptance.grades import STALE
from pricing.acceptance.spans import Laid, Span
from pricing.sources import CURATED, TRUSTS

_DATASETS = TRUSTS.index(CURATED)
"""From this trust on a source is not the vendor."""


def timelines(
    laid: Laid, epoch: datetime, sources: Mapping[str, SourceFact], decided: Mapping[int, str]
) -> list[Accepted]:  # fmt: skip
    """The accepted prices of one slot, its schedules one after the other."""
    found: list[Accepted] = []
    for _, spans in groupby(sorted(laid.spans, key=lambda s: s.claim.schedule), key=lambda s: s.claim.schedule):
        found += _Timeline(epoch, sources, decided).of(list(spans))
    return found


def passed_by_at(claims: Sequence[ClaimFact], sources: Mapping[str, SourceFact]) -> Iterator[datetime]:
    """The moments from which a vendor's page or API counts as long unread beside others, though nobody says anew."""
    for claim in claims:
        moment = claim.last_seen_at + STALE + timedelta.resolution
        if TRUSTS.index(sources[claim.source].trust) < _DATASETS and any(
            other.last_seen_at >= moment and not agrees(other, claim) for other in claims
        ):
            yield moment


def alone(claim: ClaimFact, sources: Mapping[str, SourceFact], decided: Mapping[int, str]) -> Accepted:
    """What the general rule gives for a claim without a rival: most of a catalogue, ten times as fast."""
    span = Span(claim, claim.effective_from, claim.effective_until)
    start = claim.effective_from or FIRST_SALE
    return _Timeline(claim.evidence_at, sources, decided).segment(span, start, claim.effective_until, [span])


class _Timeline:
    """One epoch's view of one schedule of one slot."""

    def __init__(self, epoch: datetime, sources: Mapping[str, SourceFact], decided: Mapping[int, str]) -> None:
        self._epoch, self._sources, self._decided = epoch, sources, decided

    def of(self, spans: Sequence[Span]) -> list[Accepted]:
        """The accepted prices, one after the other in effective time."""
        edges = {FIRST_SALE}
        for span in spans:
            edges |= {span.start or FIRST_SALE} | ({span.until} if span.until else set())
            if span.is_undated:
                edges |= {max(moment, FIRST_SALE) for moment in (span.claim.evidence_at, self._first_spoken_of(span))}
            if self._is_passed_by(span, spans):
                edges.add(self._seen(span))
        cuts: list[datetime | None] = [*sorted(edge for edge in edges if edge >= FIRST_SALE), None]
        timeline: list[Accepted] = []
        for lo, hi in zip(cuts, cuts[1:], strict=False):
            assert lo is not None  # noqa: S101 - only the last cut is open
            here = [span for span in spans if span.covers(lo)]
            if not here:
                continue
            best = here[0] if len(here) == 1 else min(here, key=lambda s: self._rank(s, lo, here))
            segment = self.segment(best, lo, hi, here)
            if timeline and timeline[-1].effective_until == lo and same_price(timeline[-1].claim, best.claim):
                earlier = timeline[-1]
                repairs = earlier.repairs or segment.repairs
                timeline[-1] = replace(
                    segment, claim=earlier.claim, effective_from=earlier.effective_from, basis=earlier.basis,
                    precision=earlier.precision, evidence_at=min(segment.evidence_at, earlier.evidence_at),
                    repairs=repairs,
                    why=self._why(earlier.claim, segment.trust, repairs, segment.agreeing, segment.disputed_by),
                )  # fmt: skip
            else:
                timeline.append(segment)
        return timeline

    def _trust(self, span: Span) -> int:
        return TRUSTS.index(self._sources[span.claim.source].trust)

    def _seen(self, span: Span) -> datetime:
        return min(span.claim.last_seen_at, self._epoch)

    def _first_spoken_of(self, span: Span) -> datetime:
        """From when on an undated price counts: of a dataset that would date a change, what its first reading has is
        no news, so it counts for the 60 days before as for the 60 days after."""
        claim, source = span.claim, self._sources[span.claim.source]
        no_news = source.states_history and claim.evidence_at == claim.first_seen_at == source.began
        return claim.evidence_at - STALE if no_news else claim.evidence_at

    def _speaks(self, span: Span, moment: datetime, here: Sequence[Span]) -> bool:
        """Whether a claim is evidence for a moment: its own word, or what its source said shortly after, where nobody
        who speaks of the moment saw a change in between."""
        if span.speaks_of(moment) or span.start is not None or moment < self._first_spoken_of(span):
            return span.speaks_of(moment)
        return all(other.covers(span.claim.evidence_at) for other in here if other.speaks_of(moment))

    def _distance(self, span: Span, moment: datetime, here: Sequence[Span]) -> int:
        """How far a claim's evidence lies from a moment: 0 it speaks of it, 1 it was only seen to end after it, 2 not
        even that."""
        if not self._speaks(span, moment, here):
            return 2
        return int(span.is_only_seen_to_end(moment))

    def _outdated(self, span: Span, moment: datetime, rivals: Sequence[Span]) -> bool:
        """Whether another source states a change the claim could not know yet, or two that looked long after agree."""
        if self._seen(span) <= moment and self._is_passed_by(span, [r for r in rivals if r.speaks_of(moment)]):
            return True
        return any(
            rival.claim.source != span.claim.source
            and rival.start is not None
            and rival.start <= moment
            and self._seen(span) + (FRESH if self._trust(rival) > self._trust(span) else timedelta(0)) < rival.start
            for rival in rivals
        )

    def _is_passed_by(self, span: Span, rivals: Sequence[Span]) -> bool:
        """Whether a vendor's page or API was last read so long before others that two of them outweigh it."""
        if self._trust(span) >= _DATASETS:
            return False
        looks = ((rival, self._sources[rival.claim.source]) for rival in rivals if self._looked_long_after(rival, span))
        return any(
            not one.is_kin(other) and agrees(mine.claim, theirs.claim)
            for (mine, one), (theirs, other) in combinations(looks, 2)
        )

    def _looked_long_after(self, rival: Span, span: Span) -> bool:
        mine, theirs = self._sources[span.claim.source], self._sources[rival.claim.source]
        return (
            self._seen(rival) - self._seen(span) > STALE
            and not theirs.is_kin(mine)
            and not agrees(rival.claim, span.claim)
            and (rival.until is None or rival.until > self._seen(span))
        )

    def _rank(self, span: Span, moment: datetime, rivals: Sequence[Span]) -> tuple[object, ...]:
        claim, source, trust = span.claim, self._sources[span.claim.source], self._trust(span)
        return (
            self._decided.get(claim.id) != ACCEPT,
            self._distance(span, moment, rivals),
            self._outdated(span, moment, rivals),
            min(trust, _DATASETS),
            -len(self._voices(span, moment, rivals)[0]) if trust >= _DATASETS else 0,
            trust,
            source.precedence,
            -self._seen(span).timestamp(),
            # Of one source's own claims for a moment, the one that starts later is the more specific.
            -(span.start or FIRST_SALE).timestamp(),
            claim.source,
            claim.amount,
        )

    def segment(self, best: Span, lo: datetime, hi: datetime | None, here: Sequence[Span]) -> Accepted:
        claim = best.claim
        agreeing, disputing = ([best], []) if len(here) == 1 else self._voices(best, lo, here)
        names = tuple(span.claim.source for span in agreeing)
        if best.start == lo:
            basis, precision = claim.basis, claim.precision
        else:
            basis, precision = "inferred", "unknown" if lo == FIRST_SALE else "gap"
        manual = self._decided.get(claim.id) == ACCEPT
        trust = "decision" if manual else self._sources[claim.source].trust
        said = (span.claim for span in disputing)
        disputed_by = tuple(sorted(said, key=lambda c: (c.source, c.first_seen_at, c.amount, c.id)))
        return Accepted(
            claim=claim,
            effective_from=lo,
            effective_until=hi,
            known_from=self._epoch,
            known_until=None,
            basis="manual" if manual else basis,
            precision=precision,
            observed_at=claim.last_seen_at,
            seen_at=max(span.claim.last_seen_at for span in agreeing),
            trust=trust,
            agreeing=names,
            disputed_by=disputed_by,
            evidence_at=min(span.claim.evidence_at for span in agreeing),
            why=self._why(claim, trust, best.repairs, names, disputed_by),
            repairs=best.repairs,
        )

    def _voices(self, best: Span, moment: datetime, here: Sequence[Span]) -> tuple[list[Span], list[Span]]:
        """What the independent sources say that agree (the best itself first), and what the others that do not.

        A price that its source later found replaced is nobody's second voice: the two may be stale alike.
        """
        own, distance = self._sources[best.claim.source], self._distance(best, moment, here)
        heard, disputing = [best], []
        for span in sorted(here, key=lambda s: s.claim.source):
            source = self._sources[span.claim.source]
            # Where the best only did not say when its price began, so may the others.
            if source is own or self._distance(span, moment, here) > distance:
                continue
            if not agrees(span.claim, best.claim):
                if not self._outdated(span, moment, here):
                    disputing.append(span)
            elif not (best.replaced or span.replaced) and not any(
                source.is_kin(self._sources[other.claim.source]) for other in heard
            ):
                heard.append(span)
        return heard, disputing

    def _why(
        self, claim: ClaimFact, trust: str, wrong: ClaimFact | None, agreeing: Sequence[str],
        disputed_by: Sequence[ClaimFact],
    ) -> str:  # fmt: skip
        """Why a price is held true, in a sentence; `claim` is the one it began with."""
        name = self._sources[claim.source].name
        if trust == "decision":
            sentence = f"A person accepted what {name} says"
        elif wrong is not None:
            said = f"{wrong.amount.normalize():f}"
            sentence = f"{name} wrote {said} until {claim.evidence_at:%Y-%m-%d}, an error of its unit"
        elif claim.effective_from is None:
            sentence = f"{name} states it without a start"
        elif claim.basis == "observed":
            sentence = f"{name} first showed it on {claim.evidence_at:%Y-%m-%d}"
        else:
            sentence = f"{name} dates it {claim.effective_from:%Y-%m-%d}"
        others = [self._sources[slug].name for slug in agreeing if slug != claim.source]
        if others:
            sentence += f"; {' and '.join(others)} {'agrees' if len(others) == 1 else 'agree'}"
        if disputed_by:
            said = ", ".join(f"{self._sources[c.source].name} says {_said(c, claim)}" for c in disputed_by)
            sentence += f"; {said}, which is kept as a disagreement"
        return sentence + "."


def _said(other: ClaimFact, claim: ClaimFact) -> str:
    currency = "" if other.currency == claim.currency else f" {other.currency}"
    return f"{other.amount.normalize():f}{currency}"
