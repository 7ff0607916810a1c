"""Quirks of Alibaba's price page that the recorded document does not show."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from pricing.sources import SourceError
from pricing.sources.alibaba_page import parse

OPEN = ". A limited-time price; its page does not say when it ends."
HEADINGS = ("模型 ID（Model ID）", "单次请求的输入Token数", "输入单价（每百万Token）", "输出单价（每百万Token）")


def document(*rows: Iterable[str], headings=HEADINGS, website="cn", place="华北2（北京）") -> bytes:
    table = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in (headings, *rows))
    content = f"<h3>千问</h3><h4>{place}</h4><table><tbody>{table}</tbody></table>"
    return json.dumps({"data": {"website": website, "language": "zh", "content": content}}).encode()


def amounts(reading):
    return {f"{s.sku} {s.unit} {s.context_op}{s.context_from}": str(s.amount) for s in reading.statements}


def test_a_tier_begins_above_its_lower_bound_and_holds_for_the_whole_request():
    reading = parse(document(("q", "0&lt;Token≤1M", "1元", "2元"), ("q", "1M&lt;Token≤10M", "3元", "4元")))
    assert amounts(reading) == {"q input 0": "1", "q output 0": "2", "q input >1000000": "3", "q output >1000000": "4"}
    assert {s.context_mode for s in reading.statements if s.context_from} == {"whole_request"}
    assert {s.note for s in reading.statements if s.context_from} == {"1M<Token≤10M"}


def test_a_promotion_is_what_is_charged_and_its_words_are_kept():
    reading = parse(document(("q", "无阶梯计价", "原价2元 限时85折", "原价4元 限时5折")))
    assert [(str(s.amount), s.note) for s in reading.statements] == [
        ("1.70", f"原价2元 限时85折{OPEN}"), ("2.0", f"原价4元 限时5折{OPEN}")
    ]  # fmt: skip


def test_a_promotion_ends_in_beijing_after_the_day_its_cell_names():
    reading = parse(document(("q", "无阶梯计价", "原价2元 限时8折（截至2026年12月31日）", "4元")))
    assert [(str(s.amount), s.effective_until, s.note) for s in reading.statements] == [
        ("1.6", datetime(2026, 12, 31, 16, tzinfo=UTC), "原价2元 限时8折（截至2026年12月31日）"), ("4", None, "")
    ]  # fmt: skip


def test_two_prices_for_one_thing_are_none():
    reading = parse(
        document(
            ("q", "无阶梯计价", "1元", "2元"), ("q", "无阶梯计价", "1元", "9元"), ("r", "无阶梯计价", "1元", "1元")
        )
    )
    assert amounts(reading) == {"q input 0": "1", "r input 0": "1", "r output 0": "1"}
    assert reading.unplaced == {"price the page contradicts itself on": 1}


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("q", "输入很长", "1元", "2元"), "row of an unknown context tier"),
        (("q", "无阶梯计价", "-1元", "约2元"), "cell that is no price"),
        (("q", "无阶梯计价", "1元/小时", "1元/张"), "cell that is no price"),
        (("q", "无阶梯计价", "NaN元", "Infinity元"), "cell that is no price"),
        (("q", "无阶梯计价", "-", "-"), "row without a price"),
        (("另见列表", "无阶梯计价", "1元", "2元"), "row without a model's id"),
    ],
)
def test_an_odd_row_is_counted_and_states_nothing(row, kind):
    reading = parse(document(("known", "无阶梯计价", "1元", "1元"), row))
    assert {s.sku for s in reading.statements} == {"known"}
    assert set(reading.unplaced) == {kind}


def test_a_price_outside_china_without_a_scope_is_no_price_of_china():
    with pytest.raises(SourceError, match="no price at all"):
        parse(document(("q", "无阶梯计价", "1元", "2元"), place="新加坡"))


def test_a_table_with_a_heading_nobody_knows_states_nothing():
    known = document(("q", "无阶梯计价", "1元", "2元"))
    body = document(("q", "无阶梯计价", "夜间", "1元", "2元"), ("r", "无阶梯计价", "日间", "3元", "4元"),
                    headings=(*HEADINGS[:2], "时段", *HEADINGS[2:]))  # fmt: skip
    content = [json.loads(one)["data"] for one in (known, body)]
    both = json.dumps({"data": {**content[0], "content": content[0]["content"] + content[1]["content"]}})
    reading = parse(both.encode())
    assert amounts(reading) == {"q input 0": "1", "q output 0": "2"}
    assert reading.unplaced["row of a table without models or prices, or of an unknown heading"] == 2


@pytest.mark.parametrize("row", [("q", "无阶梯计价", "2元"), ("q", "无阶梯计价", "1元", "2元", "3元")])
def test_a_row_whose_cells_stand_under_no_heading_for_certain_is_refused(row):
    with pytest.raises(SourceError, match="a row of a table has"):
        parse(document(("p", "无阶梯计价", "1元", "2元"), row))


def test_a_resolution_is_no_model():
    reading = parse(document(("q", "无阶梯计价", "1元", "2元"), ("720P", "无阶梯计价", "1元", "2元")))
    assert reading.unplaced == {"row without a model's id": 1}


def test_the_document_of_another_site_is_refused():
    with pytest.raises(SourceError, match="may not be CNY"):
        parse(document(("q", "无阶梯计价", "1元", "2元"), website="intl"))


@pytest.mark.parametrize("content", [None, 3, "<div>" * 5_000, "<table><tr><td colspan=999999></td></tr></table>"])
def test_a_malformed_document_is_a_source_error(content):
    with pytest.raises(SourceError):
        parse(json.dumps({"data": {"website": "cn", "language": "zh", "content": content}}).encode())
    with pytest.raises(SourceError):
        parse(b"[" * 100_000)
