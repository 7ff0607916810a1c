"""What the page says in sentences, by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.self_host.page import WORKINGS, Page, evidence_of, source_of
from pricing.self_hosting import Swing

NAMED_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(count: int) -> str:
    return NAMED_NUMBERS[count] if count < len(NAMED_NUMBERS) else formatting.count(count)


def finding(page: Page) -> Words:
    """Who wins and from which load on; with something unknown, what it is."""
    plan, api = page.plan, page.api
    if plan is None:
        return (page.missing[0],)
    rented = f"{number(plan.gpus)} {page.gpu}{'' if plan.gpus == 1 else 's'}"
    own = Figure(_price(plan.usd_per_mtok()), WORKINGS)
    if api is None:
        return (
            f"A Mtok of {page.read.model_name} on {rented} costs ", own,
            f" at full load; {_none_known(page)}.",
        )  # fmt: skip
    asked = Figure(_price(api.usd_per_mtok), evidence_of(api, page))
    who = api.seller if page.read.market.kind == "weights" else f"{api.model_name} at {api.seller}"
    if api.seen_on:
        who = f"{who}, as seen on {formatting.day(api.seen_on)},"
    if page.even is None or page.even > 1:
        return (
            f"Buying wins: even at full load a Mtok of {page.read.model_name} on {rented} costs ", own,
            f", and {who} asks ", asked, ".",
        )  # fmt: skip
    if page.even == 0:
        cost = "costs" if plan.gpus == 1 else "cost"
        return (f"Renting wins at any load: {rented} {cost} nothing, and {who} asks ", asked, " per Mtok.")
    load = formatting.share(page.even, 1)
    start = f"Renting wins above {load} of full load: there a Mtok of {page.read.model_name} on {rented} costs what "
    return (start, f"{who} asks, ", asked, "; at full load it costs ", own, ".")


def _none_known(page: Page) -> str:
    if page.read.market.unseen:
        return "nobody saw a price of an API of equal quality by this day"
    return "no API of equal quality has a known price"


def _price(usd: Decimal | None) -> str:
    return formatting.derived_price(usd) if usd is not None else "an unknown amount"


def scope(page: Page) -> list[str]:
    said = [f"Rates and prices on {formatting.day(page.ask.at or page.read.at)}"]
    plan = page.plan
    if plan is not None:
        speeds = f"{_plain(plan.input_per_second)} input + {_plain(plan.output_per_second)} output tokens/s"
        said.append(f"{speeds} at full load, {'published' if _is_published(page) else 'as entered'}")
        on_top = "people and one-off cost 0" if not plan.usd_per_month else "with people and one-off cost"
        said.append(f"{on_top}, {_plain(plan.idle_hours)} idle hours")
    return said


def _is_published(page: Page) -> bool:
    return page.read.run is not None and page.ask.input is None and page.ask.output is None


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"


def equal(page: Page) -> str:
    """What equal quality means here."""
    market, name = page.read.market, page.read.model_name
    if market.kind == "weights":
        return "The same weights: the cheapest paid host of the model."
    known = "a price that was seen by this day" if market.unseen else "a known price"
    if market.kind == "rating" and market.own_rating is not None:
        rating = formatting.rating(market.own_rating)
        return f"Nobody sells {name} at {known}: the cheapest model whose Arena rating is at least its {rating}."
    if page.read.market.own_rating is None:
        return f"Nobody sells {name} at {known}, and it has no rating to find an equal by."
    return f"Nobody sells {name} or a model rated as high at {known}."


def workings(page: Page) -> list[tuple[str, str]]:
    """How the cost of a Mtok at the highest load comes about."""
    plan = page.plan
    if plan is None:
        return []
    hours = 730 - plan.idle_hours
    on_top = f" + ${_plain(plan.usd_per_month.quantize(Decimal('0.01')))}" if plan.usd_per_month else ""
    rate = _plain(plan.usd_per_gpu_hour)
    tokens = plan.tokens_a_month(page.ask.share)
    return [
        ("A month", f"{plan.gpus} × ${rate} × 730 hours{on_top} = ${plan.usd_a_month.quantize(Decimal('0.01')):,}"),
        (
            "Tokens a month",
            f"{_plain(plan.tokens_per_second)} a second × 3,600 × {_plain(hours)} hours × {_plain(page.ask.load)}% ="
            f" {formatting.mtok(tokens)} Mtok",
        ),
        ("A Mtok", f"${plan.usd_a_month.quantize(Decimal('0.01')):,} ÷ {formatting.mtok(tokens)} = {_price(page.usd)}"),
    ]


def chart_title(page: Page) -> str:
    if page.api is None:
        return "The more it is used, the less a token costs"
    if page.even is None or page.even > 1:
        return f"No load of one copy gets below {page.api.seller}"
    return f"Above {formatting.share(page.even, 1)} of full load renting costs less than {page.api.seller}"


def note(page: Page) -> str:
    """Method, sources, licences and dates of the chart."""
    run, said = page.read.run, []
    if run and _is_published(page):
        said.append(
            f"Throughput: {run.source}, {formatting.day(run.measured_on)}, {run.engine}, {run.workload}"
            f" ({run.licence})."
        )
    elif page.plan:
        said.append("Throughput: as entered.")
    if page.rate:
        one = page.rate
        said.append(
            f"Rate: {one.host}, {one.gpu}, on demand, {one.source}, {formatting.day(one.observed_on)} ({one.licence})."
        )
    elif page.ask.rate is not None:
        said.append("Rate: as entered.")
    if page.api:
        said.append(f"API: {page.api.seller}, {source_of(page.api)}, blended by the run’s input and output.")
    if page.read.market.credits:
        said.append(f"Prices: {', '.join(page.read.market.credits)}.")
    said.append("Input and output tokens counted alike; GPUs are paid by the hour, whole.")
    return " ".join(said)


def rate_sources(page: Page) -> list[tuple[str, str, str]]:
    """Who says what the GPU costs: name, address and licence, each once."""
    rates = [row.rate for row in page.rate_rows]
    return sorted({(one.source or one.host, one.source_url, one.licence) for one in rates})


def volume(page: Page) -> Words:
    """What a volume of one's own costs either way."""
    served, api = page.served, page.api
    if served is None:
        return ()
    copies = f"{number(served.plan.copies)} {'copy' if served.plan.copies == 1 else 'copies'}"
    gpus = served.plan.copies * served.plan.gpus
    rented: Words = (
        f"{formatting.mtok(served.tokens)} Mtok a month need {copies} on {number(gpus)} whole "
        f"GPU{'' if gpus == 1 else 's'}, used to {formatting.share(served.utilisation, 1)}: ",
        Figure(formatting.money_in_prose(served.usd), WORKINGS), " a month, ",
        Figure(_price(served.usd_per_mtok), WORKINGS), " per Mtok.",
    )  # fmt: skip
    if page.bought is None or api is None:
        return (*rented, " What they would cost at an API is unknown.")
    bought = Figure(formatting.money_in_prose(page.bought), evidence_of(api, page))
    return (*rented, f" At {api.seller} they cost ", bought, " a month.")


def even_volume(page: Page) -> str:
    """On how many copies the break-even volume is served."""
    if page.volume is None:
        return ""
    copies = page.volume.copies
    return f"on {number(copies)} {'copy' if copies == 1 else 'copies'}, each used to {_plain(page.ask.load)}% at most"


@dataclass(frozen=True, slots=True)
class SwingRow:
    """One assumption moved, in words: from what to what."""

    name: str
    low: str
    high: str
    swing: Swing


_SWINGS: Mapping[str, tuple[str, Callable[[Decimal], str]]] = {
    "rate": ("GPU rate, USD an hour", lambda one: f"{one.normalize():,f}"),
    "throughput": ("Throughput, tokens a second", lambda one: f"{formatting.rounded(one, 0):,f}"),
    "utilisation": ("Utilisation", lambda one: formatting.share(one, 1)),
}


def swings(page: Page) -> list[SwingRow]:
    found = []
    for one in page.swings:
        name, said = _SWINGS[one.name]
        found.append(SwingRow(name, said(one.low), said(one.high), one))
    return found
