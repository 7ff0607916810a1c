"""From rungs, prices and workloads to the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import blend_url
from dashboards.pages.ladder.ask import Ask
from dashboards.pages.ledger import records_url
from dashboards.pages.periods import Span
from pricing.answers.ladder import Ladder, Priced, Step, step
from pricing.frontier import Mix
from pricing.ladder import Person, Rung, human_cost, ratio
from usage.workloads import Workload

WAYS = "#people"
LATELY = timedelta(days=30)
"""How far back one's own requests are the usual ones."""
NOBODY = "Unattributed"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one rung costs with one model, with where its prices are proven."""

    model: Priced
    step: Step
    evidence: str

    @property
    def usd(self) -> Decimal | None:
        return self.step.usd


@dataclass(frozen=True, slots=True)
class Human:
    """What a person costs for the same tokens; None of both where nobody reads or speaks them."""

    person: Person
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class RungRow:
    """One kind of answer: a cell a model, what makes images beside, and every person."""

    rung: Rung
    cells: tuple[Cell, ...]
    beside: tuple[Cell, ...]
    people: tuple[Human, ...]
    human: Human

    @property
    def known(self) -> list[Cell]:
        return [cell for cell in (*self.cells, *self.beside) if cell.usd is not None]

    @property
    def cheapest(self) -> Cell | None:
        """The cheapest that costs something."""
        paid = [(cell.usd, place) for place, cell in enumerate(self.known) if cell.usd]
        return self.known[min(paid)[1]] if paid else None

    @property
    def times(self) -> Decimal | None:
        """How many times the cheapest model's cost the person's is."""
        return ratio(self.human.low, self.cheapest.usd) if self.cheapest else None

    @property
    def times_text(self) -> str:
        return formatting.multiple(self.times) if self.times is not None else ""


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """One project's mean request."""

    name: str
    workload: Workload
    evidence: str
    human: Human
    times: Decimal | None

    @property
    def usd(self) -> Decimal:
        return self.workload.per_request

    @property
    def least(self) -> str:
        """What stands before figures that rest on tokens of which some are unknown."""
        return "≥ " if self.workload.at_least else ""

    @property
    def times_text(self) -> str:
        return formatting.multiple(self.times) if self.times is not None else ""


@dataclass(frozen=True, slots=True)
class Page:
    ask: Ask
    ladder: Ladder
    at: datetime
    rows: tuple[RungRow, ...]
    workloads: tuple[WorkloadRow, ...] = ()
    foreign: tuple[str, ...] = ()
    """Projects whose list cost is in another currency: not on an axis of USD."""
    span: Span | None = None

    @property
    def day(self) -> date:
        return self.ask.at or self.at.date()

    @property
    def priced(self) -> tuple[Priced, ...]:
        return self.ladder.models


def compose(ask: Ask, ladder: Ladder, at: datetime, workloads: Sequence[WorkloadRow] = (), **more: object) -> Page:
    """The page for a state. `more` are `foreign` and `span` of the workloads."""
    rows = []
    for rung in ladder.rungs:
        people = tuple(_human(person, rung.tokens, ask) for person in ask.people)
        makes_images = ladder.image_models if "output_image" in rung.tokens else ()
        rows.append(
            RungRow(
                rung,
                tuple(_cell(ask, rung, model) for model in ladder.models),
                tuple(_cell(ask, rung, model) for model in makes_images if model.slug not in ask.models),
                people,
                next(one for one in people if one.person.slug == ask.person),
            )
        )  # fmt: skip
    return Page(ask, ladder, at, tuple(rows), tuple(workloads), **more)  # type: ignore[arg-type]


def _cell(ask: Ask, rung: Rung, model: Priced) -> Cell:
    one = model.listed
    found = step(rung, one)
    evidence = ""
    if one is not None and found.usd is not None:
        tokens = rung.tokens
        if "output_image" in tokens:
            evidence = f"/models/{model.slug}"
        else:
            mix = Mix(Decimal(tokens["input"]), Decimal(tokens["output"]), Decimal(0))
            evidence = blend_url(model.slug, one.offering_id, mix, at=ask.at)
    return Cell(model, found, evidence)


def _human(person: Person, tokens: Mapping[str, int], ask: Ask) -> Human:
    low, high = (human_cost(tokens, usd, ask.pace) for usd in (person.low, person.high))
    return Human(person, low, high)


def own(
    ask: Ask, found: Iterable[Workload], names: Mapping[int, tuple[str, str]], span: Span
) -> tuple[list[WorkloadRow], list[str]]:
    """The workloads in USD as rows, and the names of those in another currency."""
    rows, foreign = [], []
    for one in found:
        name, slug = names.get(one.project_id, (NOBODY, "none")) if one.project_id else (NOBODY, "none")
        if one.currency not in {"", "USD"}:
            foreign.append(name)
            continue
        human = _human(ask.who, one.tokens_per_request, ask)
        evidence = records_url(span, project=slug)
        rows.append(WorkloadRow(name, one, evidence, human, ratio(human.low, one.per_request)))
    return rows, foreign


CSV_HEAD = (
    "kind", "name", "input_tokens", "output_tokens", "image_tokens", "basis", "source", "model", "seller", "usd",
    "reason", "person", "person_usd_low", "person_usd_high", "person_times_model",
)  # fmt: skip


def csv_rows(page: Page) -> Iterable[tuple[object, ...]]:
    """A line a rung and model, then a line a workload; what is unknown is empty."""
    for row in page.rows:
        tokens, human = row.rung.tokens, row.human
        basis = "; ".join(f"{count.unit} {count.basis}" for count in row.rung.counts)
        source = "; ".join(dict.fromkeys(count.source for count in row.rung.counts))
        for cell in (*row.cells, *row.beside):
            seller = cell.model.listed.provider_name if cell.model.listed else ""
            yield (
                "rung", row.rung.name, tokens.get("input"), tokens.get("output"), tokens.get("output_image"), basis,
                source, cell.model.name, seller, cell.usd, cell.step.reason, human.person.name, human.low, human.high,
                ratio(human.low, cell.usd),
            )  # fmt: skip
    for one in page.workloads:
        mean, person = one.workload.tokens_per_request, one.human
        yield (
            "workload", one.name, mean["input"], mean["output"], None, "measured", "own usage at list prices", "", "",
            one.usd, "some tokens are not known" if one.workload.at_least else "", page.ask.who.name, person.low,
            person.high, one.times,
        )  # fmt: skip
