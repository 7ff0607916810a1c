"""The command `price_index`: the shape programs rely on, and 2 with a sentence where the inputs make no sense."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

RECORDED = Path(__file__).parents[1] / "recorded" / "quality" / "price_index"
MMLU = str(RECORDED / "epoch_mmlu.csv")


def run(*args: str) -> str:
    out = StringIO()
    call_command("price_index", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def answered(*args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*args, "--json"))
    return found


def refused(*args: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert caught.value.returncode == 2
    return str(caught.value)


def test_the_answer_is_the_shape_programs_rely_on() -> None:
    found = answered("--inputs", MMLU, "--threshold", "43.9")
    assert list(found) == [
        "estimator", "threshold", "level", "per_year", "interval", "halving_months", "halving_interval",
        "leave_one_out", "r_squared", "indicative", "n", "points", "inputs", "note",
    ]  # fmt: skip
    # As published: 11.8 [8.3, 16.7].
    assert (round(found["per_year"], 1), [round(end, 1) for end in found["interval"]]) == (11.8, [8.3, 16.8])
    assert (found["estimator"], found["threshold"], found["level"], found["n"]) == ("record_low", "43.9", "90", 9)
    assert found["points"][0] == {"date": "2021-11-20", "model": "GPT-3", "price": "60", "score": "43.9", "live": None}
    assert len(found["inputs"]) == 20
    assert found["inputs"][2] == {
        "model": "GPT-3.5", "seller": "", "family": "", "date": "2022-11-30", "withdrawn": None, "price": "20",
        "score": "64.8", "used": True, "why_not": "",
    }  # fmt: skip


def test_the_live_minimum_says_how_many_models_were_live() -> None:
    found = answered("--inputs", MMLU, "--threshold", "64.8", "--estimator", "live_minimum", "--until", "2023-04-01")
    assert [(point["date"], point["price"], point["live"]) for point in found["points"]] == [
        ("2022-12-01", "20", 1), ("2023-01-01", "20", 1), ("2023-02-01", "20", 1), ("2023-03-01", "20", 1),
    ]  # fmt: skip
    assert found["per_year"] is None
    assert "span 90 days" in found["note"]


def test_the_days_and_the_level_asked_for_count() -> None:
    found = answered("--inputs", MMLU, "--threshold", "43.9", "--from", "2022-01-01", "--level", "50")
    assert (found["points"][0]["date"], found["level"], found["n"]) == ("2022-09-01", "50", 8)


def test_in_words_it_names_every_point_the_factor_and_the_method() -> None:
    text = run("--inputs", MMLU, "--threshold", "86")
    assert "2023-03-14          37.5 USD per Mtok  GPT-4-0314" in text
    assert "Falls 15.9 times a year (90 % interval of the factor of falling: 4.09 to 61.7)" in text
    assert "from 5 points (indicative)." in text
    assert "Record lows (Epoch AI's method)" in text


def test_a_rise_is_called_a_rise(tmp_path: Path) -> None:
    path = tmp_path / "rising.csv"
    rows = [f"m{year},{year}-01-01,{2 ** (year - 2020)},1,{year + 1}-01-01" for year in range(2020, 2025)]
    path.write_text("\n".join(["model,date,price,score,withdrawn", *rows]), "utf-8")
    text = run("--inputs", str(path), "--estimator", "live_minimum")
    assert 0.3 < answered("--inputs", str(path), "--estimator", "live_minimum")["per_year"] < 0.7
    assert "Rises " in text
    assert "halving" not in text
    assert "The price rose 4 times." in text


def test_no_factor_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("model,date,price,score\na,2021-01-01,60,43.9\n", "utf-8")
    assert "No factor from 1 points." in run("--inputs", str(path))
    assert answered("--inputs", str(path))["per_year"] is None


SEVERAL = """model,date,price,score,seller,first_party
m,2021-01-01,20,50,Maker,yes
m,2021-01-01,2,50,Host,no
open,2022-01-01,6,50,a,
open,2022-01-01,4,50,b,
open,2022-01-01,1,50,c,
plain,2023-01-01,3,50,,
"""


@pytest.mark.parametrize("estimator", ["record_low", "live_minimum"])
@pytest.mark.parametrize(
    ("sellers", "prices"),
    [
        ((), ["20", "4", "3"]),
        (("--sellers", "maker_or_median"), ["20", "4", "3"]),
        (("--sellers", "maker"), ["20", "3"]),
        (("--sellers", "median"), ["11", "4", "3"]),
        (("--sellers", "any"), ["2", "1", "3"]),
    ],
)
def test_of_several_sellers_of_a_file_one_price_counts_by_the_rule_of_the_catalogue(
    tmp_path: Path, estimator: str, sellers: tuple[str, ...], prices: list[str]
) -> None:
    path = tmp_path / "sellers.csv"
    path.write_text(SEVERAL, "utf-8")
    found = answered("--inputs", str(path), "--estimator", estimator, *sellers)
    assert [one["price"] for one in found["inputs"]] == prices
    if estimator == "record_low":
        lows = [price for n, price in enumerate(prices) if all(Decimal(price) < Decimal(one) for one in prices[:n])]
        assert [point["price"] for point in found["points"]] == lows
    assert "one price counts" in found["note"]


def test_a_rule_of_sellers_needs_rows_that_say_who_asks() -> None:
    assert "fill in seller or first_party" in refused("--inputs", MMLU, "--sellers", "any")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--threshold", "high"), "'high' is no number: write threshold as 64.8."),
        (("--level", "100"), "'100' is no level"),
        (("--level", "0"), "'0' is no level"),
        (("--until", "tomorrow"), "write until as"),
        (("--from", "2021-13-01"), "write from as"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(args: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused("--inputs", MMLU, *args)


def test_inputs_that_cannot_be_read_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "inputs.csv"
    assert "cannot be read" in refused("--inputs", str(path))
    path.write_bytes(b"model,date,price,score\n\xff,2021-01-01,1,1\n")
    assert "not text in UTF-8" in refused("--inputs", str(path))
    path.write_text("model,date,price,score\na,2021-01-01,-60,43.9\n", "utf-8")
    assert f"{path}: Line 2: price is '-60'" in refused("--inputs", str(path))


def test_a_studys_own_table_needs_only_the_name_of_its_score(tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    rows = [line.split(",") for line in Path(MMLU).read_text("utf-8").splitlines()[1:]]
    cells = [f"{model};{date};${price};{score}%;" for model, date, price, score in rows]
    path.write_text("\ufeffModel Name;Release Date;USD per 1M Tokens;MMLU;HumanEval\n" + "\n".join(cells), "utf-8")
    asked = ("--threshold", "43.9")
    assert answered("--inputs", str(path), "--score-column", "MMLU", *asked) == answered("--inputs", MMLU, *asked)
    assert "The column score is missing" in refused("--inputs", str(path))


def test_a_column_of_scores_is_a_files() -> None:
    assert "--score-column is asked of a file" in refused("--benchmark", "mmlu", "--score-column", "MMLU")
