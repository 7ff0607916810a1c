"""Every money figure on every page of the sample workspace has a scope and a way to its evidence.

Starts at the navigation, follows every link inside the pages that are about money, and reads what a reader would:
any text with a currency sign and a digit counts as a money figure, however it was written. An example in an
explanation is none: it stands in a `<samp>`, and word for word in a template, so that nothing computed passes for one.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import Person
from usage import sample
from usage.models import Organisation

MONEY = re.compile(r"(?:CN)?[$€£¥]\s?\d")
VOID = {"br", "img", "input", "link", "meta", "hr", "wbr", "col", "source", "rect", "circle", "polyline", "path"}
EXAMPLE = re.compile(r"<samp>([^<]*)</samp>")
EXAMPLES = {
    text
    for path in (Path(__file__).parents[2] / "templates").rglob("*.html")
    for text in EXAMPLE.findall(path.read_text())
}
MOST = {"": 3, "projects/*": 6, "spend/*": 12}
"""Pages read of each kind, 4 of any other; every figure on them is looked at."""
MOST_ASKED = 40
"""Evidence opened of each kind: figures of one kind have their address from one line of code."""


@dataclass
class Reading(HTMLParser):
    """A page as figures, links and scope."""

    figures: list[tuple[str, str | None]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    scope: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag not in VOID:
            self.open.append((tag, found))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One that ends where it starts opens nothing and closes nothing: `<rect/>`."""

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if any(tag == "p" and attrs.get("class") == "scope" for tag, attrs in self.open):
            self.scope += data.strip()
        if not MONEY.search(data) or not any(tag == "main" for tag, _ in self.open):
            return
        if any(tag in {"option", "code", "pre", "script"} for tag, _ in self.open):
            return
        if any(tag == "samp" for tag, _ in self.open) and data in EXAMPLES:
            return
        evidence = None
        for tag, attrs in reversed(self.open):
            evidence = (attrs.get("href") if tag == "a" else None) or attrs.get("data-evidence")
            if evidence:
                break
        self.figures.append((data.strip(), evidence))


def read(page: str) -> Reading:
    reading = Reading()
    reading.feed(page)
    return reading


def kind(path: str) -> str:
    """Pages of one kind: `/models/gpt-5` and `/models/o3` are."""
    parts = [part for part in urlsplit(path).path.split("/") if part]
    return "/".join(parts[:1] + ["evidence"] * ("evidence" in parts) + (["*"] if len(parts) > 1 else []))


def test_a_figure_without_evidence_would_be_seen() -> None:
    found = read(
        '<main><p class="scope"><span>Week 46</span></p><svg><rect/></svg>'
        '$1.00 <a href="/x">$2.00</a> <b data-evidence="/y">€3</b>'
    )
    assert found.figures == [("$1.00", None), ("$2.00", "/x"), ("€3", "/y")]
    assert found.scope == "Week 46"


def test_only_what_a_template_says_word_for_word_passes_for_an_example() -> None:
    example = next(text for text in EXAMPLES if MONEY.search(text))
    found = read(f"<main><samp>{example}</samp><p>{example}</p><samp>$3.07</samp></main>")
    assert found.figures == [(example, None), ("$3.07", None)]


@pytest.mark.django_db
def test_every_money_figure_has_a_scope_and_a_way_to_its_evidence(catalogue: None) -> None:
    sample.load(force=True)
    ada = Person.objects.create_user("ada@larkfield.example")
    access.grant(ada, "admin", Organisation.objects.get(is_sample=True))
    client = Client()
    client.force_login(ada)

    answers: dict[str, int] = {}
    crawled: dict[str, int] = {}
    asked: dict[str, int] = {}
    faults: list[str] = []
    figures = 0
    first = read(client.get("/").content.decode())
    assert {"/", "/imports"} <= set(first.links)
    waiting = deque(["/", *first.links])
    seen: set[str] = set()
    while waiting:
        path = waiting.popleft().partition("#")[0]
        parts = urlsplit(path)
        if not path.startswith("/") or path in seen or parts.path.startswith(("/static/", "/api/")):
            continue
        seen.add(path)
        crawled[kind(path)] = crawled.get(kind(path), 0) + 1
        if crawled[kind(path)] > MOST.get(kind(path), 4):
            continue
        answer = client.get(path)
        answers[path] = answer.status_code
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        found = read(answer.content.decode())
        waiting += [urljoin(path, link) for link in found.links]
        if found.figures and not found.scope:
            faults.append(f"{path} shows money without a scope")
        for figure, evidence in found.figures:
            figures += 1
            if evidence is None:
                faults.append(f"{path}: “{figure[:60]}” leads to no evidence")
                continue
            target = urljoin(path, evidence).partition("#")[0]
            if target.startswith("/") and target not in answers and asked.get(kind(target), 0) < MOST_ASKED:
                asked[kind(target)] = asked.get(kind(target), 0) + 1
                answers[target] = client.get(target).status_code
            if target.startswith("/") and answers.get(target, 200) != 200:
                faults.append(f"{path}: “{figure[:60]}” leads to {target}, which answers {answers[target]}")
    assert not faults, "\n".join(sorted(set(faults))[:80])
    assert {"", "projects/*", "spend/*"} <= set(crawled)
    assert figures > 500
    assert [path for path, status in answers.items() if status >= 400] == []
