"""What every importer must hold to, found by module: a new one is tested here without an edit."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.importers.recordings import RECORDED, bodies, expected, lines_of, mapping_of, parsed
from usage.importers import APPEND, REPLACE_WINDOW, Fact, Ignored, Importer, Rejected, all_importers
from usage.importers.csv import MappingError
from usage.ingest.reading import UNREADABLE

CANARY = "canary-93b1-content"
SLUGS = sorted(all_importers())
RECORDINGS = [(slug, body) for slug in SLUGS for body in bodies(slug)]


def importer_of(slug: str) -> Importer:
    return all_importers()[slug]


@pytest.mark.parametrize("slug", SLUGS)
def test_an_importer_declares_itself_and_has_a_recording(slug: str) -> None:
    importer = importer_of(slug)
    assert importer.SLUG == slug == str(importer.__name__).rsplit(".", 1)[-1]  # type: ignore[attr-defined]
    assert importer.NAME
    assert importer.MODE in (APPEND, REPLACE_WINDOW)
    assert isinstance(importer.MAPPED, bool)
    assert importer.DETAIL in (1, 2, 3, 4)
    assert importer.__doc__
    assert bodies(slug), f"record a body under {RECORDED.name}/{slug}"
    assert not importer.MAPPED or mapping_of(slug) is not None


@pytest.mark.parametrize(("slug", "body"), RECORDINGS, ids=lambda found: getattr(found, "name", found))
def test_a_recorded_body_reads_to_what_a_person_checked(slug: str, body: Path) -> None:
    assert parsed(importer_of(slug), body) == expected(body)


@pytest.mark.parametrize(("slug", "body"), RECORDINGS, ids=lambda found: getattr(found, "name", found))
def test_every_physical_line_has_one_outcome_in_order(slug: str, body: Path) -> None:
    lines = lines_of(importer_of(slug), body.read_bytes())
    assert [outcome.line for outcome in parse(slug, lines)] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(("slug", "body"), RECORDINGS, ids=lambda found: getattr(found, "name", found))
def test_facts_are_sound(slug: str, body: Path) -> None:
    for fact in parse(slug, lines_of(importer_of(slug), body.read_bytes())):
        if isinstance(fact, Fact):
            check(fact)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("slug", SLUGS)
def test_arbitrary_bytes_never_raise_and_each_line_is_answered(slug: str, data: st.DataObject) -> None:
    body = data.draw(st.one_of(st.binary(max_size=400), st.sampled_from(bodies(slug)).flatmap(mutated)))
    if hasattr(importer_of(slug), "split"):
        lines = split_until_it_breaks(slug, body) or [body]
    else:
        lines = physical_lines(slug, body)
    outcomes = list(parse(slug, lines))
    assert [outcome.line for outcome in outcomes] == list(range(1, len(lines) + 1))
    for outcome in outcomes:
        assert isinstance(outcome, Fact | Ignored | Rejected)
        if isinstance(outcome, Fact):
            check(outcome)


def physical_lines(slug: str, body: bytes) -> list[bytes]:
    head = bodies(slug)[0].read_bytes().splitlines(keepends=True)[:1] if importer_of(slug).MAPPED else []
    lines = [*head, *body.splitlines(keepends=True)]
    return [part + b"\n" for part in b"".join(lines).split(b"\n")]


def split_until_it_breaks(slug: str, body: bytes) -> list[bytes]:
    """The records before the first fault, and any fault is one of those the reader knows."""
    found: list[bytes] = []
    with suppress(*UNREADABLE):
        found.extend(importer_of(slug).split(io.BytesIO(body)))  # type: ignore[attr-defined]
    return found


@settings(deadline=None)
@given(body=st.binary(max_size=300))
@pytest.mark.parametrize("slug", [slug for slug in SLUGS if importer_of(slug).MAPPED])
def test_a_file_that_is_none_of_its_kind_is_one_sentence(slug: str, body: bytes) -> None:
    lines = [part + b"\n" for part in body.split(b"\n")]
    with suppress(MappingError):
        assert len(list(parse(slug, lines))) == len(lines)


@pytest.mark.parametrize(("slug", "body"), RECORDINGS, ids=lambda found: getattr(found, "name", found))
def test_content_never_leaves_a_line(slug: str, body: Path) -> None:
    lines = list(with_canary(slug, lines_of(importer_of(slug), body.read_bytes())))
    assert any(CANARY.encode() in line for line in lines) or hasattr(importer_of(slug), "split")
    assert not [outcome for outcome in parse(slug, lines) if CANARY in repr(outcome)]


def parse(slug: str, lines: list[bytes]) -> Iterator[Fact | Ignored | Rejected]:
    return importer_of(slug).parse(iter(lines), "origin", mapping_of(slug))


def check(fact: Fact) -> None:
    """What the ledger relies on whatever importer made the fact."""
    counts = (fact.in_uncached, fact.in_cache_read, fact.in_cache_write, fact.out_total, fact.out_reasoning)
    assert all(count is None or count >= 0 for count in counts)
    assert fact.out_reasoning is None or fact.out_reasoning <= (fact.out_total or 0)
    split = fact.cache_write_by_lifetime
    assert not split or sum(split.values()) == fact.in_cache_write
    assert fact.occurred_at.tzinfo is not None
    assert fact.period_end is None or fact.occurred_at < fact.period_end
    assert 0 < len(fact.record_key) <= 300
    assert "\0" not in repr(fact)
    assert fact.cost_reported is None or len(fact.currency) == 3


def mutated(path: Path) -> st.SearchStrategy[bytes]:
    """A recorded body with a few bytes replaced, removed or repeated."""
    whole = path.read_bytes()
    places = st.integers(0, len(whole))
    edits = st.lists(st.tuples(places, st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=5)

    def apply(found: list[tuple[int, int, bytes]]) -> bytes:
        body = whole
        for place, length, replacement in found:
            body = body[:place] + replacement + body[place + length :]
        return body

    return edits.map(apply)


def with_canary(slug: str, lines: list[bytes]) -> Iterator[bytes]:
    """The lines with a canary wherever the format holds content."""
    if importer_of(slug).MAPPED:  # a column that the mapping does not name
        for number, line in enumerate(lines):
            if line.startswith(b"{") and line.rstrip().endswith(b"}"):
                yield json.dumps({**json.loads(line), "unmapped": CANARY}).encode() + b"\n"
                continue
            rest = line.rstrip(b"\n")
            yield (
                rest
                if number == 0 and not rest
                else rest + b";" + (b"prompt" if not number else CANARY.encode()) + b"\n"
            )
        return
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            yield line.rstrip(b"\n") + CANARY.encode() + b"\n"
            continue
        yield json.dumps(_replaced(record)).encode() + b"\n"


def _replaced(record: Any) -> Any:
    if isinstance(record, dict):
        content = ("content", "text", "summary", "prompt", "toolUseResult", "input")
        return {name: CANARY if name in content else _replaced(value) for name, value in record.items()}
    return record
