"""A stock LiteLLM with our map as its own: the same cost as ours, for whatever the map can say."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.workspace import run_json
from pricing.answers import costs, exports
from pricing.exports.litellm import CostMap, Sold, cost_map, reading
from pricing.exports.litellm.sold import first_prompt

pytestmark = [pytest.mark.peers, pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

MODELS, MIXES = 200, 10
TOLERANCE = 1e-9
SIGNED_IN = {"github-copilot"}
"""LiteLLM asks these for a sign-in before it looks at the map."""


def _dice() -> random.Random:
    return random.Random(20261125)  # noqa: S311 - not a secret


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def made(now: datetime) -> CostMap:
    return cost_map(exports.sold_at(now))


@pytest.fixture
def served(client: Any) -> Iterator[str]:
    """The address at which this process serves `/export/litellm.json` as the application answers it."""
    body = client.get("/export/litellm.json").content

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/export/litellm.json"
    server.shutdown()
    thread.join()
    server.server_close()


def test_litellm_takes_the_map_and_makes_the_same_cost_of_what_it_can_say(
    made: CostMap, now: datetime, served: str, litellm_python: Path, tmp_path: Path
) -> None:
    asked = list(requests(made, _dice()))
    assert len({call["key"] for call in asked}) == MODELS
    path = tmp_path / "calls.json"
    path.write_text(json.dumps(asked))
    theirs = run_json(
        [str(litellm_python), "-m", "benchmarks.peer_litellm_map", str(path)],
        LITELLM_MODEL_COST_MAP_URL=served, LITELLM_LOCAL_MODEL_COST_MAP="", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1",
    )  # fmt: skip
    assert theirs["keys"] == sorted(made.entries), "LiteLLM did not take our map for its own"
    ours = [
        cost for place in range(0, len(asked), costs.MOST) for cost in _ours(asked[place : place + costs.MOST], now)
    ]
    wrong = [
        (call, cost, float(our)) for call, cost, our in zip(asked, theirs["costs"], ours, strict=True)
        if not isinstance(cost, float) or abs(cost - float(our)) > TOLERANCE * float(our)
    ]  # fmt: skip
    assert wrong == [], f"{len(wrong)} of {len(asked)}; LiteLLM {theirs['version']}"


def _ours(calls: list[dict[str, Any]], now: datetime) -> list[Decimal]:
    usages = [
        costs.Usage(
            call["sku"], call["seller"], call["region"] or None, call["tier"], now,
            costs.tokens({unit: call[unit] for unit in ("input", "cache_read", "cache_write", "output", "reasoning")},
                         call["by_lifetime"]),
        )
        for call in calls
    ]  # fmt: skip
    answers = costs.costs(usages, now)["costs"]
    assert [(a["sku"], a["region"]) for a in answers] == [(c["sku"], c["region"]) for c in calls]
    return [Decimal(answer["cost"]) for answer in answers]


def requests(made: CostMap, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Ten mixes each of 200 models: of every provider some, and first those with tiers to get wrong."""
    inexpressible_hours = {id(sold) for sold, _, one in made.left if one.kind == "schedule"}
    keys: dict[int, list[str]] = {}
    by_provider: dict[str, list[Sold]] = {}
    for key, sold in made.sold.items():
        if sold.provider in SIGNED_IN or id(sold) in inexpressible_hours or not sold.cards:
            continue
        if id(sold) not in keys:
            by_provider.setdefault(sold.provider, []).append(sold)
        keys.setdefault(id(sold), []).append(key)
    for offerings in by_provider.values():
        dice.shuffle(offerings)
        offerings.sort(key=lambda sold: -len(sold.cards))
    chosen: list[Sold] = []
    while len(chosen) < MODELS:
        chosen += [offerings.pop(0) for offerings in by_provider.values() if offerings]
    for sold in chosen[:MODELS]:
        key = dice.choice(keys[id(sold)])
        for _ in range(MIXES):
            yield _request(sold, key, made.entries[key], dice)


def _request(sold: Sold, key: str, entry: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A request whose every token is of a unit that the map says exactly, often at the edge of a context tier."""
    tier = dice.choice([tier for tier in sold.tiers if tier in {"standard", "batch", *reading.SUFFIX_OF}])
    edges = [first_prompt(card) for card in sold.cards if card.context_from]
    prompt = dice.choice([dice.randrange(1, 5_000), dice.randrange(1, 900_000)])
    if edges and dice.random() < 0.6:
        prompt = dice.choice(edges) + dice.choice([-1, 0, 1])
    held = sold.prices(tier, prompt)
    assert held is not None
    if held.price("input") is None:
        # A tier that says nothing of long prompts: their price is unknown here, and the map has no word for unknown.
        prompt = dice.randrange(1, 5_000)
        tier, held = next((t, h) for t in (tier, "standard") if (h := sold.prices(t, prompt)) and h.price("input"))
    read = reading.rates(entry, entry["litellm_provider"], tier, prompt)
    said = {unit for unit, amount in read.items() if held.price(unit) == amount}
    left, counts = prompt, dict.fromkeys(("input", "cache_read", "cache_write", "output", "reasoning"), 0)
    by_lifetime: dict[str, int] = {}
    if "cache_read" in said and dice.random() < 0.6:
        counts["cache_read"] = dice.randrange(left + 1)
        left -= counts["cache_read"]
    if dice.random() < 0.6:
        lifetimes = [lifetime for lifetime in ("5m", "1h") if f"cache_write_{lifetime}" in said]
        written = dice.randrange(left + 1)
        if lifetimes and dice.random() < 0.7:
            first = dice.randrange(written + 1) if len(lifetimes) > 1 else written
            by_lifetime = dict(zip(lifetimes, (first, written - first), strict=False))
        if by_lifetime or "cache_write" in said:
            counts["cache_write"] = written
            left -= written
    counts["input"] = left
    if "output" in said:
        counts["output"] = dice.randrange(20_000)
        counts["reasoning"] = dice.randrange(counts["output"] + 1) if "reasoning" in said else 0
    return {
        "key": key, "provider": entry["litellm_provider"], "seller": sold.provider, "sku": sold.sku,
        "region": sold.region, "tier": tier, "by_lifetime": by_lifetime, **counts,
    }  # fmt: skip


def test_the_sample_meets_every_tier_and_every_kind_of_token(made: CostMap) -> None:
    asked = list(requests(made, _dice()))
    assert {call["tier"] for call in asked} == {"standard", "batch", "flex", "priority", "fast", "ultrafast"}
    assert len({call["seller"] for call in asked}) > 20
    for unit in ("cache_read", "cache_write", "output", "reasoning"):
        assert sum(bool(call[unit]) for call in asked) > 200
    assert sum(call["by_lifetime"].get("1h", 0) > 0 for call in asked) > 50
