"""What the charts of the catalogue hold: exact marks, labels that never touch, text that stays text."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.charts import frontier as chart
from dashboards.charts import history
from dashboards.charts.marks import AROUND, Box, Label, decades, escaped, even_ticks, log_ticks, place
from dashboards.pages import quality
from dashboards.pages.model import Event, History, HistoryLine, Step
from pricing.frontier import Offer, Rated, Traits, curve

NOW = datetime(2026, 11, 16, tzinfo=UTC)
NASTY = "<img src=x onerror=alert(1)> & %{x} Co"


def rows(*points: tuple[str, str, str], q: str = "") -> tuple[quality.Row, ...]:
    """(name, price of any token, rating) as the page's rows."""
    scores = [Rated(name, name, D(rating), "", D(rating) - 5, D(rating) + 5, 100) for name, _, rating in points]
    offers = [
        Offer(name, "host", name, {"input": D(price), "output": D(price)}, offering_id=n, provider_name="Host")
        for n, (name, price, _) in enumerate(points)
    ]
    models = {name: Traits(name, f"maker of {name}") for name, _, _ in points}
    found = quality.Found(curve(scores, offers), scores, offers, models)
    return quality.compose(quality.Ask(category="overall", q=q), found, asked_at=NOW).all_rows


def scene(rows: tuple[quality.Row, ...]) -> chart.Scene:
    return chart.Scene(rows, "Points", "USD per Mtok, 3 : 1")


def drawn(figure: dict[str, Any], size: str = "wide") -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    step, others, front = figure[size]["data"]
    return step, others, front


MARKET = rows(("best", "4", "1520"), ("good", "1", "1480"), ("cheap", "0.1", "1400"), ("dear", "9", "1470"))


def test_the_step_rises_at_a_price_and_runs_level_to_the_next_one() -> None:
    step, _, _ = drawn(chart.figure(scene(MARKET)))
    assert step["line"]["shape"] == "hv"
    assert step["x"][:-1] == [0.1, 0.1, 1.0, 4.0]
    assert step["y"][1:] == [1400.0, 1480.0, 1520.0, 1520.0]


def test_only_the_frontier_is_blue_and_carries_its_interval() -> None:
    _, others, front = drawn(chart.figure(scene(MARKET)))
    assert front["x"] == [0.1, 1.0, 4.0]
    assert front["error_y"]["array"] == front["error_y"]["arrayminus"] == [5.0, 5.0, 5.0]
    assert others["x"] == [9.0]
    assert others["marker"]["color"] == ["var(--mark-muted)"]
    assert "error_y" not in others


def test_what_is_searched_for_is_inked_and_named() -> None:
    figure = chart.figure(scene(rows(("best", "4", "1520"), ("dear", "9", "1470"), q="dear")))
    _, others, _ = drawn(figure)
    assert others["marker"]["color"] == ["var(--ink)"]
    assert "dear" in [note["text"] for note in figure["wide"]["layout"]["annotations"]]


def test_the_torn_axis_says_where_it_begins_and_counts_what_lies_under_it() -> None:
    many = rows(*((f"m{n}", "1", str(1000 + n * 10)) for n in range(50)))
    texts = [note["text"] for note in chart.figure(scene(many))["wide"]["layout"]["annotations"]]
    bottom = chart.scale(scene(many)).bottom
    assert f"Points, from {bottom:g}" in texts
    assert chart.below(scene(many)) == sum(float(row.point.rating) < bottom for row in many) > 0


def test_a_name_is_never_markup_in_a_figure() -> None:
    figure = chart.figure(scene(rows((NASTY, "1", "1500"), ("other", "2", "1400"))))
    assert "<img" not in str(figure)
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in str(figure)
    # `%{…}` is a variable in a hover template only, so there is none.
    assert "hovertemplate" not in str(figure)
    line = HistoryLine(NASTY, "input", True, (Step(NOW - timedelta(days=9), NOW, D(1)),))
    past = History((line,), (Event(NOW, NASTY),), NOW - timedelta(days=9), NOW, NOW)
    assert "<img" not in str(history.figure(past))


def test_without_points_there_is_an_empty_frame() -> None:
    figure = chart.figure(scene(()))
    assert figure["wide"]["data"] == figure["narrow"]["data"] == []


@given(st.lists(st.tuples(st.decimals("0.001", "500", places=3), st.integers(900, 1600)), min_size=1, max_size=40))
def test_labels_touch_neither_each_other_nor_a_mark_of_the_frontier(points: list[tuple[D, int]]) -> None:
    every = rows(*((f"model number {n}", str(price), str(rating)) for n, (price, rating) in enumerate(points)))
    axes = chart.scale(scene(every))
    front = [row for row in every if row.on_frontier and float(row.point.rating) >= axes.bottom]
    front.sort(key=lambda row: row.point.price)
    others = [row for row in every if not row.on_frontier and float(row.point.rating) >= axes.bottom]
    for canvas in (chart.WIDE, chart.NARROW):
        placed = chart.labels(front, others, axes, canvas, scene(every).marks)
        boxes = [one.box for _, one in placed]
        assert not any(a.meets(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
        marks = [Box.around(*axes.at(float(row.point.price), row.point.rating, canvas), 7) for row in front]
        assert not any(box.meets(mark) for box in boxes for mark in marks)
        assert all(canvas.frame.holds(box) for box in boxes)


def test_a_label_without_room_is_left_out_rather_than_laid_over_another() -> None:
    crowd = [Label(str(n), "the same long name", 100, 50) for n in range(30)]
    placed = place(crowd, Box(0, 0, 300, 100), [], AROUND)
    assert 0 < len(placed) < 30


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [(0.08, 12, ["$0.1", "0.2", "0.5", "$1", "2", "5", "$10"]), (0.9, 2.1, ["$1", "2"])],
)
def test_log_ticks_read_as_plain_numbers(low: float, high: float, texts: list[str]) -> None:
    assert log_ticks(low, high)[1] == texts


def test_a_narrow_log_axis_names_its_decades_and_more_where_one_alone_would_be_no_scale() -> None:
    named = [text for text in log_ticks(0.08, 12, narrow=True)[1] if text]
    assert named == ["$0.1", "$1", "$10"]
    assert log_ticks(0.21, 6.5, narrow=True)[1] == ["0.5", "$1", "2", "5"]


def test_decades_and_even_ticks_stay_inside() -> None:
    assert decades(0.08, 12) == [0.1, 1.0, 10.0]
    assert even_ticks(1290, 1540, 7) == [1300, 1350, 1400, 1450, 1500]
    assert even_ticks(0, 0.7, 5) == [0, 0.2, 0.4, 0.6]


def test_text_is_escaped_once() -> None:
    assert escaped("a < b & c > d") == "a &lt; b &amp; c &gt; d"


# History


def a_history(*steps: tuple[int, int, str], now: int = 100, events: tuple[Event, ...] = ()) -> History:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = tuple(Step(day + timedelta(days=a), day + timedelta(days=b), D(amount)) for a, b, amount in steps)
    line = HistoryLine("Acme", "input", True, made)
    end = max(step.end for step in made)
    return History((line,), events, made[0].start, end, day + timedelta(days=now))


def test_a_price_is_level_until_it_changes() -> None:
    (trace,) = history.figure(a_history((0, 50, "4"), (50, 100, "2")))["wide"]["data"]
    assert trace["line"]["shape"] == "hv"
    assert trace["y"] == [4.0, 4.0, 2.0, 2.0]
    assert trace["x"][1] == trace["x"][2] == "2026-02-20 00:00:00"


def test_where_no_price_was_known_the_line_is_broken() -> None:
    (trace,) = history.figure(a_history((0, 20, "4"), (50, 100, "2")))["wide"]["data"]
    assert trace["y"] == [4.0, 4.0, None, 2.0, 2.0]


def test_what_is_announced_is_dotted_and_starts_from_the_present_price() -> None:
    past, coming = history.figure(a_history((0, 100, "2"), (100, 130, "4"), now=90))["wide"]["data"]
    assert (past["line"]["dash"], past["y"]) == ("solid", [2.0, 2.0])
    assert (coming["line"]["dash"], coming["y"]) == ("dot", [2.0, 2.0, 4.0, 4.0])


def test_the_axis_of_money_starts_at_nothing() -> None:
    axis = history.figure(a_history((0, 100, "2")))["wide"]["layout"]["yaxis"]
    assert axis["range"][0] == 0
    assert axis["ticktext"][0] == "0"


def test_an_event_is_a_dotted_line_with_date_and_fact() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    layout = history.figure(a_history((0, 100, "2"), events=(Event(at, "prices by hour start"),)))["wide"]["layout"]
    assert layout["shapes"][0]["line"]["dash"] == "dot"
    assert "1 Mar: prices by hour start" in [note["text"] for note in layout["annotations"]]


@given(st.lists(st.decimals("0.01", "30", places=2), min_size=1, max_size=6))
def test_names_at_the_end_of_lines_keep_apart(amounts: list[D]) -> None:
    start = NOW - timedelta(days=90)
    lines = tuple(
        HistoryLine(f"Seller {n}", "input", n == 0, (Step(start, NOW, amount),)) for n, amount in enumerate(amounts)
    )
    layout = history.figure(History(lines, (), start, NOW, NOW))["wide"]["layout"]
    top, height = layout["yaxis"]["range"][1], layout["height"] - 84
    ends = [note for note in layout["annotations"] if note.get("xref") == "paper" and note["x"] == 1]
    heights = sorted(note["y"] / top * height + note["yshift"] for note in ends)
    assert all(after - before >= history.LABEL - 0.01 for before, after in zip(heights, heights[1:], strict=False))
