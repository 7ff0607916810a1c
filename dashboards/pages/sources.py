"""The sources: how fresh each is, what it covers, how often it agrees, was first, and was wrong. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.changes.lines import terms_words, unit_words
from dashboards.pages.ledger import Figure, Words
from pricing.answers.sources import WRONG_BY, Difference, Share, Standing
from pricing.sources import all_sources
from pricing.units import is_token_unit

PATH = "/sources"
TRUSTS = {
    "official": "the vendor’s own page", "vendor_api": "a vendor’s interface", "curated": "curated by people",
    "aggregator": "aggregator",
}  # fmt: skip
STATUSES = {
    "running": "running", "changed": "read, changed", "unchanged": "read, unchanged", "failed": "failed",
    "held": "held back",
}  # fmt: skip
UNFIT = {"failed", "held"}
"""Statuses of a run that left the catalogue as it was and say so."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share as the table shows it; without a ratio there is nothing to compare."""

    share: Share

    @property
    def text(self) -> str:
        return formatting.share(self.share.part, self.share.whole) if self.share.whole else "–"

    @property
    def said(self) -> str:
        if not self.share.whole:
            return "nothing to compare"
        return f"{formatting.count(self.share.part)} of {formatting.count(self.share.whole)}"

    @property
    def is_known(self) -> bool:
        return self.share.whole > 0


@dataclass(frozen=True, slots=True)
class Row:
    """One source as the table shows it."""

    standing: Standing
    now: datetime

    @property
    def slug(self) -> str:
        return self.standing.slug

    @property
    def url(self) -> str:
        return f"{PATH}/{self.slug}"

    @property
    def name(self) -> str:
        return self.standing.source.NAME

    @property
    def trust(self) -> str:
        return TRUSTS.get(self.standing.source.TRUST, self.standing.source.TRUST)

    @property
    def licence(self) -> str:
        return self.standing.source.LICENCE

    @property
    def copies(self) -> str:
        known = all_sources()
        return ", ".join(known[slug].NAME if slug in known else slug for slug in self.standing.source.COPIES)

    @property
    def cadence(self) -> str:
        hours = self.standing.source.CADENCE_HOURS
        if hours % 24:
            return "every hour" if hours == 1 else f"every {hours} hours"
        return "every day" if hours == 24 else f"every {hours // 24} days"

    @property
    def age(self) -> str:
        return formatting.ago(self.standing.last_good, self.now) if self.standing.last_good else ""

    @property
    def is_late(self) -> bool:
        return self.standing.is_late(self.now)

    @property
    def has_failed(self) -> bool:
        return self.standing.last_run is not None and self.standing.last_run.status in UNFIT

    @property
    def status(self) -> str:
        run = self.standing.last_run
        return STATUSES.get(run.status, run.status) if run else "never read"

    @property
    def error(self) -> str:
        return self.standing.last_run.error if self.standing.last_run and self.has_failed else ""

    @property
    def states_prices(self) -> bool:
        """Whether it ever claimed a price: the bank states rates, and the table of names states names."""
        return self.standing.wrong.whole > 0

    @property
    def covers(self) -> Ratio:
        return Ratio(self.standing.covers)

    @property
    def agrees(self) -> Ratio:
        return Ratio(self.standing.agrees)

    @property
    def first(self) -> Ratio:
        return Ratio(self.standing.first)

    @property
    def wrong(self) -> str:
        return formatting.count(self.standing.wrong.part) if self.standing.knows_wrong else "–"

    @property
    def wrong_said(self) -> str:
        if not self.standing.knows_wrong:
            return "nothing to compare"
        return f"of {formatting.count(self.standing.wrong.whole)} claims"

    @property
    def wrong_by(self) -> str:
        """`12 corrected later, 1 known errors`, the most first."""
        found = sorted(self.standing.wrong_by.items(), key=lambda one: -one[1])
        return ", ".join(f"{formatting.count(n)} {WRONG_BY.get(sign, sign)}" for sign, n in found)

    @property
    def advice(self) -> str:
        """What to do, where the last run failed or there was none; the command is `command`."""
        if self.has_failed:
            return "The catalogue stands as it was. Read it again once the cause is gone:"
        return "" if self.standing.was_read else "It was never read. Read it now:"

    @property
    def command(self) -> str:
        """What reads it: over the network where it has a feed, else from a file or its package."""
        source = self.standing.source
        base = f"manage.py fetch_prices --source {self.slug}"
        if getattr(source, "FEED", "") or hasattr(source, "bundled"):
            return base
        return f"{base} --file PATH --observed-at {self.now:%Y-%m-%d}T00:00Z"

    @property
    def key(self) -> str:
        """The variable its vendor's key is read from; '' where none is needed."""
        return str(getattr(self.standing.source, "KEY", ""))


def rows(standings: Iterable[Standing], now: datetime) -> list[Row]:
    """What failed first, then by how much of the accepted prices a source states; never read last."""
    made = [Row(one, now) for one in standings]

    def place(row: Row) -> tuple[object, ...]:
        covers = row.standing.covers.ratio
        return (not row.has_failed, not row.standing.was_read, -(covers or Decimal(0)), row.name.lower())

    return sorted(made, key=place)


def finding(shown: Sequence[Row]) -> Words:
    """How many sources keep their cadence, and what is the matter with the others."""
    if not shown:
        return ("There is no price source.",)
    read = [row for row in shown if row.standing.was_read]
    failed = [row for row in shown if row.has_failed]
    late = [row for row in read if row.is_late and not row.has_failed]
    never = [row for row in shown if not row.standing.was_read and not row.has_failed]
    fresh = sum(not row.is_late for row in read)
    if not read and not failed:
        return (f"None of the {formatting.count(len(shown))} price sources was ever read.",)
    whole = formatting.count(len(shown))
    if fresh == len(shown) and not failed:
        return (f"All {whole} price sources are up to date.",)
    verb = "is" if fresh == 1 else "are"
    said: Words = (f"{formatting.count(fresh) if fresh else 'None'} of {whole} price sources {verb} up to date",)
    parts = [
        _some(failed, "failed", "failed"), _some(late, "is late", "are late"),
        _some(never, "was never read", "were never read"),
    ]  # fmt: skip
    for number, part in enumerate([part for part in parts if part]):
        said += ("; " if not number else ", ", *part)
    return (*said, ".")


def _some(rows: Sequence[Row], of_one: str, of_many: str) -> Words:
    """One by its name, more by their number."""
    if len(rows) == 1:
        return (Figure(rows[0].name, rows[0].url), f" {of_one}")
    return (f"{formatting.count(len(rows))} {of_many}",) if rows else ()


def own_finding(row: Row) -> str:
    """What one source is good for, in a sentence."""
    if not row.standing.was_read:
        return f"{row.name} was never read." if not row.has_failed else f"{row.name} was never read without fault."
    said = f"{row.name} states {row.covers.text} of the accepted prices"
    if row.agrees.is_known:
        said += f" and agrees with {row.agrees.text} of those that others state too"
    return f"{said}{'; its last run failed' if row.has_failed else ''}."


CSV_HEAD = (
    "source", "name", "trust", "licence", "copies", "cadence_hours", "last_good", "last_status", "last_error",
    "offerings", "providers", "lines", "covers", "accepted_lines", "agrees", "compared", "first", "moves_compared",
    "wrong", "claims",
)  # fmt: skip


def csv_row(row: Row) -> tuple[object, ...]:
    """Numbers as they are; empty is unknown."""
    one = row.standing

    def pair(share: Share) -> tuple[object, object]:
        return (share.part, share.whole) if share.whole else (None, None)

    return (
        row.slug, row.name, one.source.TRUST, row.licence, " ".join(one.source.COPIES), one.source.CADENCE_HOURS,
        one.last_good.isoformat() if one.last_good else None, one.last_run.status if one.last_run else None, row.error,
        *((one.offerings, one.providers, one.lines) if one.was_read else (None, None, None)), *pair(one.covers),
        *pair(one.agrees), *pair(one.first), *(pair(one.wrong) if one.knows_wrong else (None, None)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """One difference as the table shows it, in the accepted price's unit."""

    found: Difference

    @property
    def url(self) -> str:
        return f"/models/{self.found.model_slug}"

    @property
    def evidence(self) -> str:
        return f"{self.url}/evidence/{self.found.price_id}"

    @property
    def what(self) -> str:
        """`Mistral, mistral-large-4, cached, batch`."""
        one = self.found
        terms = terms_words((one.service_tier, one.qualifier, one.context_from, one.schedule))
        parts = [one.provider, one.sku, one.region, unit_words(one.unit, one.accepted_per), terms]
        return ", ".join(part for part in parts if part)

    @property
    def claimed(self) -> Decimal:
        return self._shown(self.found.claimed / self.found.claimed_per)

    @property
    def accepted(self) -> Decimal:
        return self._shown(self.found.accepted / self.found.accepted_per)

    def _shown(self, each: Decimal) -> Decimal:
        return each * (1_000_000 if is_token_unit(self.found.unit) else self.found.accepted_per)

    @property
    def state(self) -> str:
        return {"open": "open", "held": "in review", "known_error": "known error"}.get(self.found.state, "outvoted")


GAP_HEAD = (
    "provider", "sku", "region", "model", "unit", "qualifier", "service_tier", "context_from", "schedule", "claimed",
    "claimed_per", "accepted", "accepted_per", "currency", "accepted_from", "state", "relative",
)  # fmt: skip


def gap_row(one: Difference) -> tuple[object, ...]:
    return (
        one.provider, one.sku, one.region, one.model_slug, one.unit, one.qualifier, one.service_tier, one.context_from,
        one.schedule, one.claimed, one.claimed_per, one.accepted, one.accepted_per, one.currency, one.winner,
        one.state or "outvoted", one.relative,
    )  # fmt: skip
