"""Anthropic's pricing page in markdown: what Anthropic charges at its own API today.

    ## Model pricing
    | Model | Base Input Tokens | 5m Cache Writes | 1h Cache Writes | Cache Hits & Refreshes | Output Tokens |
    |-------|-------------------|-----------------|-----------------|------------------------|---------------|
    | Claude Opus 4.5 | $5 / MTok | $6.25 / MTok | $10 / MTok | $0.50 / MTok | $25 / MTok |
    | Claude Opus 3 ([deprecated](/docs/…)) | \\$15 / MTok | …
    ### Long context pricing
    When using Claude Sonnet 4 or Sonnet 4.5 with the [1M token context window enabled](/docs/…), requests that exceed …
    | ≤ 200K input tokens | > 200K input tokens |
    | Input: $3 / MTok | Input: $6 / MTok |
    ### Fast mode pricing
    | Claude Opus 5 / Claude Opus 4.8 | $30 / MTok1 | $150 / MTok |

A row may be of several models, and a digit after the unit is the mark of a footnote. A promotion stands beside its
price: `$5 / MTok (introductory until December 31, 2026)` holds through that day.

The page calls models by display names. Which ids it sells one by is declared below; from Claude 4.1 on Anthropic
writes them `claude-<family>-<major>-<minor>` without exception, so a name of tomorrow reads by that rule. Batch and
cache prices of long prompts stand there as sentences (half the price, 1.25 times the input), and so does what US-only
inference costs (`inference_geo: us`: 1.1 times every token price of the models from 4.6 on, which are offerings of the
region `us`); they are worked out only while those sentences stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pricing import promotions
from pricing.sources import MTOK, OFFICIAL, OfferingFact, Reading, SourceError, Statement

SLUG = "anthropic_page"
NAME = "Anthropic's pricing page"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only page of Anthropic's that we read
COPIES = ()
LICENCE = "Anthropic's own page; its prices are carried as single facts"
URL = "https://docs.claude.com/en/docs/about-claude/pricing"
FEED = "https://docs.claude.com/en/docs/about-claude/pricing.md"
CADENCE_HOURS = 24
STATES_HISTORY = False

PROVIDER = "anthropic"

_IDS: Mapping[str, tuple[str, ...]] = {
    # display name → every id Anthropic documents for it: the alias, then the snapshots
    "Claude Opus 4.5": ("claude-opus-4-5", "claude-opus-4-5-20251101"),
    "Claude Opus 4.1": ("claude-opus-4-1", "claude-opus-4-1-20250805"),
    "Claude Opus 4": ("claude-opus-4-0", "claude-opus-4-20250514"),
    "Claude Opus 3": ("claude-3-opus-latest", "claude-3-opus-20240229"),
    "Claude Sonnet 4.5": ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    "Claude Sonnet 4": ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
    "Claude Sonnet 3.7": ("claude-3-7-sonnet-latest", "claude-3-7-sonnet-20250219"),
    "Claude Sonnet 3.5": ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620"),
    "Claude Sonnet 3": ("claude-3-sonnet-20240229",),
    "Claude Haiku 4.5": ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
    "Claude Haiku 3.5": ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
    "Claude Haiku 3": ("claude-3-haiku-20240307",),
}
_REGULAR = re.compile(r"Claude (?P<family>[A-Z][a-z]+) (?P<version>4\.[1-9]\d*|(?:[5-9]|[1-9]\d)(?:\.[1-9]\d*)?)")

_TABLES: Mapping[tuple[str, ...], tuple[str, tuple[str, ...]]] = {
    # headings after `Model` → (service tier, units)
    ("base input tokens", "5m cache writes", "1h cache writes", "cache hits & refreshes", "output tokens"): (
        "standard", ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    ),
    ("batch input", "batch output"): ("batch", ("input", "output")),
}  # fmt: skip
_FAST = ("input", "output")
"""Headings that name no tier: the section does."""

_MARK = r"(?:[1-9¹²³⁴-⁹]|<sup>[1-9]</sup>)?"
"""What refers to a footnote: no part of a price."""
_AMOUNT = re.compile(r"\$(?P<amount>\d{1,9}(?:\.\d{1,12})?) / MTok" + _MARK + r"(?: \((?P<words>[^()]{1,200})\))?")
_LONG_CELL = re.compile(r"(?P<unit>Input|Output): \$(?P<amount>\d{1,9}(?:\.\d{1,12})?) / MTok" + _MARK)
_LONG = re.compile(r"(?P<op>>=?|≥) ?(?P<thousands>\d{1,4})[Kk] input tokens")
_SHORT = re.compile(r"(?:≤|<=?) ?(?P<thousands>\d{1,4})[Kk] input tokens")
_NAMES = re.compile(r"\b(?:Claude )?([A-Z][a-z]+ \d+(?:\.\d+)?)\b")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_WITHDRAWN = re.compile(r"\s*(?:\((deprecated|retired)\)|~~(deprecated|retired)~~)")
_HEADING = re.compile(r"#{1,6} (.+)")

_CACHE_MULTIPLES = {
    "cache_write_5m": re.compile(r"5-minute cache write tokens are (\d+(?:\.\d+)?) times the base input tokens price"),
    "cache_write_1h": re.compile(r"1-hour cache write tokens are (\d+(?:\.\d+)?) times the base input tokens price"),
    "cache_read": re.compile(r"Cache read tokens are (\d+(?:\.\d+)?) times the base input tokens price"),
}
_CACHE_STACKS = re.compile(r"Prompt caching multipliers apply on top of long context pricing")
_BATCH_STACKS = re.compile(r"Batch API (\d+)% discount applies to long context pricing")
_WHOLE_REQUEST = re.compile(r"If your request exceeds [\w,]+ input tokens, all tokens incur premium pricing\.")
_SEARCH = re.compile(
    r"Web search is available on the Claude API for \*\*\$(\d+(?:\.\d+)?) per 1,000 searches\*\*[^.]*\."
)
_EXECUTION = (
    re.compile(r"[^.\n]*billed at \$(\d+(?:\.\d+)?) per hour, per container\."),
    re.compile(r"\*\*Pricing\*\*: \$(\d+(?:\.\d+)?) per session-hour\."),
)
_RESIDENT = re.compile(
    r"For (?P<models>Claude [\w., ]{1,120}?),? and (?:newer|later) models, specifying US-only inference (?:via|through)"
    r" the `inference_geo` parameter incurs a (?P<factor>[1-9](?:\.\d{1,4})?)x multiplier on all token pricing"
    r" categories"
)
_VERSION = re.compile(r"\b(\d+)(?:\.(\d+))?\b")
_SENTENCES = {
    "regional premium of other platforms stated in a sentence": re.compile(r"\d+% premium over global endpoints"),
    "regional multiplier stated in a sentence": re.compile(r"\d+(?:\.\d+)?x multiplier"),
}


def parse(body: bytes) -> Reading:
    """Every price of every table, and of the tools stated in sentences."""
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        raise SourceError("The body is not Anthropic's pricing page: it is no text.") from fault
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html")):
        raise SourceError("The body is HTML; this source reads the page in markdown, at the address that ends in .md.")
    sections = list(_sections(text.replace("\\$", "$").replace("\\~", "~")))
    page = _Page(" ".join(_LINK.sub(r"\1", text.replace("\\$", "$")).split()))
    for section in sections:
        for table in section.tables:
            _enter(table, section, page)
    if not page.rates:
        raise SourceError("The page holds no table of model prices; Anthropic's page must have changed its layout.")
    _enter_tools(page)
    return page.reading()


@dataclass
class _Table:
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass
class _Section:
    """A heading with the text and the tables under it, up to the next heading."""

    title: str
    text: str = ""
    tables: list[_Table] = field(default_factory=list)


_Key = tuple[str, str, str, int]


class _Page:
    """What was read so far."""

    def __init__(self, said: str) -> None:
        self.said = said
        """The whole text in one line, links as their text."""
        self.rates: dict[str, dict[str, Decimal]] = {}
        """Display name → the standard prices of its row, which long prompts multiply."""
        self.unplaced: Counter[str] = Counter()
        self._statements: dict[_Key, Statement] = {}
        self._contradicted: set[_Key] = set()
        self._offerings: dict[str, OfferingFact] = {}

    def resident(self) -> Iterator[Statement]:
        """What US-only inference costs: every token price of the models the sentence speaks of, times its factor."""
        said = self.sentence(_RESIDENT)
        if said is None:
            return
        self.unplaced["regional multiplier stated in a sentence"] -= 1
        since = min(_versions(said["models"]), default=None)
        for key, one in self._statements.items():
            version = max(_versions(self._offerings[one.sku].name), default=None)
            if since and version and version >= since and key not in self._contradicted:
                yield replace(one, region="us", amount=one.amount * Decimal(said["factor"]), note=f"{said[0]}.")

    def state(self, statement: Statement) -> None:
        key = (statement.sku, statement.unit, statement.service_tier, statement.context_from)
        if self._statements.setdefault(key, statement).amount != statement.amount:
            self._contradicted.add(key)

    def offer(self, sku: str, name: str, *, deprecated: bool = False) -> None:
        self._offerings.setdefault(sku, OfferingFact(PROVIDER, "Anthropic", sku, name=name, deprecated=deprecated))

    def sentence(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.search(self.said)

    def reading(self) -> Reading:
        for kind, pattern in _SENTENCES.items():
            self.unplaced[kind] += len(pattern.findall(self.said))
        # Two prices for one thing: which of them holds, the page does not say.
        self.unplaced["price the page contradicts itself on"] += len(self._contradicted)
        resident = list(self.resident())
        told = {statement.sku: self._offerings[statement.sku] for statement in resident}
        return Reading(
            statements=[*(s for key, s in self._statements.items() if key not in self._contradicted), *resident],
            offerings=[*self._offerings.values(), *(replace(fact, region="us") for fact in told.values())],
            unplaced=+self.unplaced,
        )


def model_ids(name: str) -> tuple[str, ...]:
    """The ids Anthropic sells a model by, of its display name; none where neither table nor rule knows it."""
    if name in _IDS:
        return _IDS[name]
    found = _REGULAR.fullmatch(name)
    return (f"claude-{found['family'].lower()}-{found['version'].replace('.', '-')}",) if found else ()


def _versions(names: str) -> list[tuple[int, int]]:
    return [(int(major), int(minor or 0)) for major, minor in _VERSION.findall(names)]


def _sections(text: str) -> Iterator[_Section]:
    section, fenced = _Section(""), False
    lines: list[str] = []
    for line in [*text.splitlines(), "# end"]:
        fenced ^= line.lstrip().startswith("```")
        if not fenced and (heading := _HEADING.fullmatch(line.strip())):
            section.text = "\n".join(lines)
            section.tables = list(_tables(lines))
            yield section
            section, lines = _Section(heading[1].strip()), []
        elif not fenced:
            lines.append(line)


def _tables(lines: Sequence[str]) -> Iterator[_Table]:
    block: list[tuple[str, ...]] = []
    for line in [*lines, ""]:
        if line.strip().startswith("|"):
            block.append(tuple(_LINK.sub(r"\1", cell).strip() for cell in line.strip().strip("|").split("|")))
            continue
        if len(block) > 2 and all(set(cell) <= set(":- ") for cell in block[1]):
            yield _Table(tuple(heading.lower() for heading in block[0]), block[2:])
        block = []


def _enter(table: _Table, section: _Section, page: _Page) -> None:
    """Every row of a table; one with prices under headings nobody knows is an error."""
    model, *rest = table.headings
    priced = any("$" in cell for row in table.rows for cell in row)
    if model == "model" and tuple(rest) in _TABLES:
        tier, units = _TABLES[tuple(rest)]
        _enter_models(table.rows, tier, units, page)
    elif model == "model" and tuple(rest) == _FAST and "fast mode" in section.title.lower():
        _enter_models(table.rows, "fast", _FAST, page)
    elif len(table.headings) == 2 and (long := _LONG.fullmatch(table.headings[1])) and _SHORT.fullmatch(model):
        _enter_long_context(table.rows, long, section, page)
    elif priced:
        raise SourceError(f"A table of prices has the unknown headings {', '.join(table.headings)!r:.200}.")
    else:
        page.unplaced["row of a table without prices"] += len(table.rows)


def _enter_models(rows: Iterable[tuple[str, ...]], tier: str, units: tuple[str, ...], page: _Page) -> None:
    named = ((shown, cells) for models, *cells in rows for shown in models.split(" / "))
    for shown, cells in named:
        withdrawn = _WITHDRAWN.search(shown)
        name = _WITHDRAWN.sub("", shown).strip()
        ids = model_ids(name)
        if not ids or len(cells) != len(units):
            page.unplaced["row of an unknown length" if ids else "model without a declared id"] += 1
            continue
        for unit, cell in zip(units, cells, strict=True):
            found = _AMOUNT.fullmatch(cell)
            if found is None or (found["words"] and not promotions.LIMITED.search(found["words"])):
                page.unplaced["cell that is no price"] += 1
                continue
            amount, words = Decimal(found["amount"]), found["words"] or ""
            ends = promotions.ends_at(words)
            if tier == "standard":
                page.rates.setdefault(name, {})[unit] = amount
            for sku in ids:
                page.offer(sku, name, deprecated=withdrawn is not None)
                one = _statement(sku, unit, amount, service_tier=tier, note=words and promotions.note(words, ends))
                page.state(replace(one, effective_until=ends))


def _enter_long_context(
    rows: Iterable[tuple[str, ...]], long: re.Match[str], section: _Section, page: _Page
) -> None:  # fmt: skip
    """The prices of long prompts, for the models the section's first sentence names and no other."""
    opening = next((line for line in section.text.splitlines() if line.strip()), "")
    names = [f"Claude {name}" for name in _NAMES.findall(_LINK.sub(r"\1", opening))]
    usual: dict[str, Decimal] = {}
    prices: dict[str, Decimal] = {}
    for row in rows:
        cells = [found for cell in row if (found := _LONG_CELL.fullmatch(cell))]
        if len(cells) != 2 or cells[0]["unit"] != cells[1]["unit"]:
            page.unplaced["long-context row in an unknown form"] += 1
            continue
        for held, found in zip((usual, prices), cells, strict=True):
            held[found["unit"].lower()] = Decimal(found["amount"])
    whole = page.sentence(_WHOLE_REQUEST)
    # The table's other column is the models' usual price: where it is not, the table is not of that model.
    known = [name for name in names if usual.items() <= page.rates.get(name, {}).items()]
    if whole is None or not known:
        # Which tokens the dearer price is of, or of which model: without the sentence nobody can say.
        page.unplaced["long-context price without its rule or its model"] += len(prices)
        return
    page.unplaced["long-context model with another usual price"] += len(names) - len(known)
    beyond, op = int(long["thousands"]) * 1000, ">" if long["op"] == ">" else ">="
    for tier, unit, amount, note in _long_prices(prices, whole[0], page):
        for sku in (sku for name in known for sku in model_ids(name)):
            page.state(_statement(sku, unit, amount, service_tier=tier, note=note, context_from=beyond, context_op=op))


def _long_prices(
    prices: Mapping[str, Decimal], note: str, page: _Page
) -> Iterator[tuple[str, str, Decimal, str]]:  # fmt: skip
    """Tier, unit, price and the sentence it rests on: as the table has it, or by a rule the page states."""
    for unit, amount in prices.items():
        yield "standard", unit, amount, note
        if batch := page.sentence(_BATCH_STACKS):
            yield "batch", unit, amount * (100 - Decimal(batch[1])) / 100, f"{batch[0]}."
    if "input" in prices and (stacks := page.sentence(_CACHE_STACKS)):
        for unit, pattern in _CACHE_MULTIPLES.items():
            if multiple := page.sentence(pattern):
                yield "standard", unit, prices["input"] * Decimal(multiple[1]), f"{multiple[0]}. {stacks[0]}."


def _enter_tools(page: _Page) -> None:
    """Tools are offerings of their own: the page prices one once for all models that call it."""
    if search := page.sentence(_SEARCH):
        page.offer("web_search", "Web search tool")
        page.state(_statement("web_search", "web_search", Decimal(search[1]), per=1000, note=search[0]))
    if execution := next(filter(None, map(page.sentence, _EXECUTION)), None):
        page.offer("code_execution", "Code execution tool")
        note = execution[0].strip()
        page.state(_statement("code_execution", "container_hour", Decimal(execution[1]), per=1, note=note))


def _statement(
    sku: str, unit: str, amount: Decimal, *, per: int = MTOK, service_tier: str = "standard", note: str = "",
    context_from: int = 0, context_op: str = "",
) -> Statement:  # fmt: skip
    return Statement(
        PROVIDER, sku, unit, amount, per=per, service_tier=service_tier, note=note, url=URL,
        context_from=context_from, context_op=context_op, context_mode="whole_request" if context_from else "",
    )  # fmt: skip
