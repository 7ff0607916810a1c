"""What a report does not know, and says: tokens without a price, money without a project, prices in review. Pure."""

from __future__ import annotations

from decimal import Decimal

from dashboards import formatting
from dashboards.pages import closing
from dashboards.pages.alerts import LONG_WORDS, Doubt
from dashboards.pages.ledger import NOBODY, UNITS, ZERO, Figure, ModelKey, Words
from dashboards.reports.read import Read
from dashboards.reports.report import CLAIMED, EFFECT, Unknown

OF_A_KIND = 3


def not_known(read: Read) -> tuple[Unknown, ...]:
    return (*_unpriced(read), *_pending(read), *_loose(read))


def _pending(read: Read) -> list[Unknown]:
    """What is outside the official figures, in the words of the page that shows them."""
    url = read.scope.spend_url(read.scope.week)
    found = closing.beside(read.pending, read.scope.currency, whole=read.scope.whole)
    return [Unknown("Pending", (Figure(one.words, url), ".")) for one in found]


def _unpriced(read: Read) -> list[Unknown]:
    """Names without a price, the most tokens first."""
    used = read.used
    if used is None:
        return []
    said = []
    for key in sorted(read.unpriced, key=lambda key: -read.unpriced[key].unpriced_tokens)[:OF_A_KIND]:
        sums, name = read.unpriced[key], used.names[key]
        noun = "request" if sums.unpriced_requests == 1 else "requests"
        tokens = Figure(f"{formatting.mtok(sums.unpriced_tokens)} Mtok", _unpriced_url(read, key))
        through = f" through {name.seller}" if name.seller else ""
        told = f" in {formatting.count(sums.unpriced_requests)} {noun} to {name.name}{through}. In no total above."
        said.append(Unknown("Not priced", (tokens, told)))
    others = len(read.unpriced) - OF_A_KIND
    if others > 0:
        noun = "model" if others == 1 else "models"
        said.append(
            Unknown("And", (f"{others} more {noun} without a price. ", Figure("All of them", "/unpriced"), "."))
        )
    return said


def _unpriced_url(read: Read, key: ModelKey) -> str:
    """The rows of a name. That page takes one project at most; of several the explorer tells, of a whole name."""
    if len(read.scope.slugs) <= 1:
        return read.scope.records_url(priced="no", **key.filters)
    if key.offering_id is None:
        return read.scope.spend_url(read.scope.week, measure="tokens", model_raw=key.model_raw)
    return ""


def _loose(read: Read) -> list[Unknown]:
    if not read.loose:
        return []
    money = Figure(formatting.money(read.loose, read.scope.currency), read.scope.records_url(project=NOBODY))
    keys = [key for key in read.keys if key.cost and key.name]
    on = ""
    if len(keys) == 1:
        on = f" on the key {_tail(keys[0].name)}"
    elif keys:
        on = f" on {len(keys)} keys, most on {_tail(keys[0].name)}"
    return [
        Unknown("Not attributed", (money, f"{on}. In the total. ", Figure("Give it a project", "/unattributed"), "."))
    ]


def _tail(key: str) -> str:
    return key if len(key) <= 24 else f"ending {key[-4:]}"


def in_doubt(read: Read) -> tuple[Words, ...]:
    """Prices in review of what is in use, the one that moves most money first."""
    used = read.used
    if used is None:
        return ()
    by_offering: dict[int, list[Doubt]] = {}
    for doubt in read.doubts:
        if used.name(doubt.offering_id) is not None and doubt.unit in UNITS:
            by_offering.setdefault(doubt.offering_id, []).append(doubt)
    weighed = []
    for offering, found in by_offering.items():
        sums = used.by_offering[offering]
        effects = {one: (one.claimed - one.accepted) * getattr(sums, UNITS[one.unit]) for one in found}
        weighed.append((sum(effects.values(), ZERO), max(found, key=lambda one: abs(effects[one]))))
    weighed.sort(key=lambda pair: -abs(pair[0]))
    return tuple(_doubted(read, effect, main) for effect, main in weighed[:OF_A_KIND])


def _doubted(read: Read, effect: Decimal, main: Doubt) -> Words:
    """`Mistral Large 4 is $0.70 or $1.36 in. At $1.36 last week was $524.40 dearer.`"""
    used = read.used
    assert used is not None  # noqa: S101 - asked before
    name = used.name(main.offering_id)
    model = f"/models/{main.model_slug}"
    served, claimed = (formatting.price(amount * 1_000_000) for amount in (main.accepted, main.claimed))
    words: Words = (
        f"{name.name if name else ''} costs ", Figure(served, model), " or ", Figure(claimed, "", CLAIMED),
        f" per Mtok of {LONG_WORDS[main.unit]}. ",
    )  # fmt: skip
    if effect:
        amount = formatting.money(abs(effect), used.currency)
        way = "dearer" if effect > 0 else "cheaper"
        words += (f"If {main.source} is right, the week was ", Figure(amount, "", EFFECT), f" {way}. ")
    return (*words, Figure("See the price", model), ".")
