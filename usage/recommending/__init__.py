"""What a project is advised to do about its models: reads the ledger and the catalogue, the rules decide.

`usage.observed` says what was used, `offers` and `evidence` what could be bought and how good it is,
`usage.same_weights` and `usage.substitution` what pays, `choosing` what of it is told, `waiting` what waiting has cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Max

from pricing.answers.candidates import Offered, offered
from pricing.models import Offering
from usage import observed, same_weights
from usage.advice import Advice, Coverage
from usage.models import DailyCost, EvaluationRun, Organisation, Project
from usage.observed import Observed
from usage.observed.slicing import coarser
from usage.recommending.choosing import best_moves, told_refusals
from usage.recommending.evidence import Published, category_of, own_evidence, own_runs, published
from usage.recommending.histories import line, with_histories
from usage.recommending.offers import candidates
from usage.recommending.sieving import worth_weighing
from usage.recommending.words import notes
from usage.substitution import weighing
from usage.substitution.factors import TokenCounts
from usage.substitution.hours import held
from usage.substitution.needs import Needs
from usage.substitution.offers import Candidate, Rated
from usage.substitution.quality import Scores, Standards
from usage.substitution.setting import Setting, baseline
from usage.token_log import TokenLog, Use

__all__ = ["DAYS", "MOST_DAYS", "advise", "advise_all"]
DAYS: Final = 30
MOST_DAYS: Final = 366
LEAST_SHARE: Final = Decimal("0.02")
"""Of a project's money: what costs less is told, and not weighed."""
_OBSERVED: Final = frozenset({"long context"})
"""Declared needs that the prompts themselves show."""
Window = tuple[date, date]


def advise(project: Project, on: date, *, known_at: datetime | None = None, days: int = DAYS) -> Advice:
    """What is advised of a project for a day, from the `days` UTC days that end with the last one with usage by then.

    With `known_at` prices and scores are those that the evidence of a moment had.
    """
    [found] = _advised(project.organisation, [project], on, known_at, days)
    return found


def advise_all(
    organisation: Organisation,
    on: date,
    *,
    projects: Iterable[Project] | None = None,
    known_at: datetime | None = None,
    days: int = DAYS,
) -> list[Advice]:
    """The same of every project of an organisation that is not archived, or of some of them, in the order of slugs."""
    every = Project.objects.filter(organisation=organisation, archived_at=None) if projects is None else projects
    return _advised(organisation, sorted(every, key=lambda one: one.slug), on, known_at, days)


@dataclass(frozen=True, slots=True)
class _Market:
    """What all projects of an organisation share on a day."""

    organisation: Organisation
    on: date
    known_at: datetime | None
    offered: Mapping[int, Offered]
    candidates: Mapping[int, Candidate]
    edges: frozenset[int]
    schedules: frozenset[str]
    _coarse: dict[int, tuple[Use, Use]] = field(default_factory=dict, compare=False, repr=False)

    def coarsely(self, use: Use) -> Use:
        """A use told apart by no more than the prices of this market: there are a thousand offers to weigh."""
        if id(use) not in self._coarse:
            self._coarse[id(use)] = (use, coarser(use, self.edges, lambda hour: held(self.schedules, hour)))
        return self._coarse[id(use)][1]


def _advised(
    organisation: Organisation, projects: Sequence[Project], on: date, known_at: datetime | None, days: int
) -> list[Advice]:
    logs: dict[int, Observed] = {}
    for window, own in _windows(organisation, projects, on, days).items():
        logs |= observed.token_logs(organisation, own, *window)
    day = min(on, known_at.astimezone(UTC).date()) if known_at else on
    scores, runs = published({category_of(project) for project in projects}, day), own_runs(projects, day)
    evaluated = {run.model_id for own in runs.values() for run in own if run.model_id}
    used = {use.offering_id for seen in logs.values() for use in seen.log.uses}
    sold = _sold(on, known_at, set[int]().union(*scores.models.values()), evaluated, used)
    market = _market(organisation, on, known_at, sold)
    return [_advice(market, project, logs[project.pk], scores, runs.get(project.pk, [])) for project in projects]


def _windows(
    organisation: Organisation, projects: Sequence[Project], on: date, days: int
) -> dict[Window, list[Project]]:
    """Projects by their UTC days [since, until); without usage those that end with the day itself. One query."""
    used = DailyCost.objects.of(organisation, until=on + timedelta(days=1)).order_by()
    rows = used.filter(project__in=[one.pk for one in projects]).values_list("project_id").annotate(last=Max("day"))
    lasts = dict(rows)
    found: dict[Window, list[Project]] = defaultdict(list)
    for project in projects:
        last = lasts.get(project.pk, on)
        found[last + timedelta(days=1 - days), last + timedelta(days=1)].append(project)
    return found


def _sold(
    on: date, known_at: datetime | None, rated: set[int], evaluated: set[int], used: set[int]
) -> dict[int, Offered]:
    """Offers of all models that are rated, evaluated or in use. The rated ones are the same for every project, so they
    are asked for by themselves: this process remembers them."""
    in_use = set(Offering.objects.filter(pk__in=used).values_list("model_id", flat=True))
    common, own = offered(on, rated, known_at), (evaluated | in_use) - rated
    missing = used - common.keys()
    return common | offered(on, own, known_at, missing) if own or missing else common


def _market(organisation: Organisation, on: date, known_at: datetime | None, sold: Mapping[int, Offered]) -> _Market:
    found = candidates(organisation, sold, on, known_at)
    keys = [card.key for one in found.values() for cards in one.cards.values() for card in cards]
    edges = frozenset(key.context_from + (key.context_op != ">=") for key in keys if key.context_from)
    schedules = frozenset(key.schedule for key in keys if key.schedule)
    return _Market(organisation, on, known_at, sold, found, edges, schedules)


def _advice(
    market: _Market, project: Project, seen: Observed, scores: Published, runs: Sequence[EvaluationRun]
) -> Advice:
    log = seen.log
    uses = [use for use in log.uses if _is_weighed(use, log) and use.offering_id in market.candidates]
    setting = _setting(market, project, log, scores, runs)
    found = [_weighed(market, use, setting, project) for use in uses]
    moves = best_moves(one for weighed in found for one in weighed.recommendations)
    refused = told_refusals((one for weighed in found for one in weighed.refused), moves)
    told, last_moved = with_histories(
        market.organisation, project, market.offered, {line(use): market.coarsely(use) for use in uses}, moves,
        (market.on, market.known_at),
    )  # fmt: skip
    shares = {line(use): (use.spent or 0) / log.spent if log.spent else None for use in uses}
    told = [replace(one, share=shares[line(one.current)]) for one in told]
    return Advice(
        project.slug, market.on, log.since, log.until, market.organisation.display_currency, tuple(told),
        tuple(refused), _coverage(market, project, seen, uses, setting), last_moved,
    )  # fmt: skip


def _is_weighed(use: Use, log: TokenLog) -> bool:
    """Whether a use has tokens and a share of the money, or of the list price where nothing was spent, worth a look."""
    whole = log.spent or sum((one.list_cost or Decimal(0) for one in log.uses), Decimal(0))
    own = use.spent if log.spent else use.list_cost
    return bool(use.tokens.prompt or use.tokens.output) and (not whole or (own or 0) >= whole * LEAST_SHARE)


def _setting(
    market: _Market, project: Project, log: TokenLog, scores: Published, runs: Sequence[EvaluationRun]
) -> Setting:
    category = category_of(project)
    sold = [market.candidates[use.offering_id].side for use in log.uses if use.offering_id in market.candidates]
    own = own_evidence(project, runs, {Rated(side.model, project.effort) for side in sold})
    return Setting(
        market.on,
        log.days,
        market.organisation.display_currency,
        Needs(
            traits=frozenset(project.needs) - _OBSERVED,
            allowed=frozenset(project.allowed_providers),
            denied=frozenset(project.denied_providers),
            regions=frozenset(project.regions),
            open_weights_only=project.open_weights_only,
            horizon_days=project.retirement_horizon,
        ),
        Standards(project.quality_margin, project.evaluation_margin, project.quality_floor, category),
        Scores(scores.arena[category], own.scores, scores.others),
        TokenCounts(own.counts, scores.runs),
        frozenset(side.provider for side in sold),
    )


def _weighed(market: _Market, use: Use, setting: Setting, project: Project) -> weighing.Weighed:
    """The moves that keep the weights and those that do not, together."""
    current = market.candidates[use.offering_id].at(use.service_tier, project.effort)
    sold = [one for pk, one in market.candidates.items() if pk != use.offering_id and _is_sold(market, pk)]
    sellers = [one for one in sold if one.side.model == current.side.model]
    moves = same_weights.moves(use, current, sellers, setting)
    rest = worth_weighing(use, current, sold, setting)
    substitutions = weighing.weigh(market.coarsely(use), current, rest, setting)
    return weighing.Weighed(
        (*moves.recommendations, *substitutions.recommendations), (*moves.refused, *substitutions.refused)
    )


def _is_sold(market: _Market, offering: int) -> bool:
    """Whether an offering that is in use is still sold on the day."""
    retires = market.offered[offering].retires_on
    return retires is None or retires > market.on


def _coverage(market: _Market, project: Project, seen: Observed, uses: Sequence[Use], setting: Setting) -> Coverage:
    log = seen.log
    requests = [use.requests for use in log.uses]
    unpriced = [use for use in uses if _is_unpriced(market, use)]
    priced = [use for use in uses if use not in unpriced]
    return Coverage(
        log.spent,
        sum((use.spent or Decimal(0) for use in priced), Decimal(0)),
        sum(_tokens(use) for use in log.uses) + log.unpriced_tokens,
        log.unpriced_tokens + sum(_tokens(use) for use in unpriced),
        None if None in requests else sum(one for one in requests if one is not None),
        sum(use.sampled_requests for use in log.uses),
        tuple(dict.fromkeys(notes(seen, uses, unpriced, market.candidates, setting, project.effort))),
    )


def _is_unpriced(market: _Market, use: Use) -> bool:
    """Whether nobody knows what a use costs: neither what was spent nor a price."""
    return use.spent is None and baseline(market.coarsely(use), market.candidates[use.offering_id], market.on) is None


def _tokens(use: Use) -> int:
    return use.tokens.prompt + (use.tokens.output or 0)
