"""Every format of evaluations reads what its tool writes, keeps no content, and refuses the rest with a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage.evaluation_formats import Reading, RunFacts, Source, Unreadable, all_formats

RECORDED = Path(__file__).parents[1] / "recorded" / "evaluations"
FORMATS = sorted(all_formats())


def source(name: str, body: bytes) -> Source:
    return Source(name, lambda: io.BytesIO(body))


def recorded(slug: str) -> list[Source]:
    files = [path for path in sorted((RECORDED / slug).glob("*")) if path.name != "expected.json"]
    assert files, f"put a recorded body of {slug} under tests/recorded/evaluations/{slug}/"
    return [source(path.name, path.read_bytes()) for path in files]


def facts(reading: Reading) -> dict[str, Any]:
    return {"runs": [_run(run) for run in reading.runs], "left_out": dict(sorted(reading.left_out.items()))}


def _run(run: RunFacts) -> dict[str, Any]:
    said = {
        name: getattr(run, name)
        for name in ("suite", "task", "metric", "model", "provider", "name", "effort", "unscored", "items")
    }
    amounts = {name: None if (one := getattr(run, name)) is None else f"{one:f}" for name in ("mean", "se", "cost_usd")}
    answers = [
        " ".join(
            str(part)
            for part in (one.key, one.epoch, f"{one.score.normalize():f}",
                         one.cost_usd and f"{one.cost_usd.normalize():f}", one.input_tokens, one.output_tokens)
        )
        for one in run.answers
    ]  # fmt: skip
    return said | amounts | {"ran_on": run.ran_on and run.ran_on.isoformat(), "answers": answers}


@pytest.mark.parametrize("slug", FORMATS)
def test_a_recorded_file_holds_the_facts_a_person_checked(slug: str) -> None:
    expected = json.loads((RECORDED / slug / "expected.json").read_text())
    assert facts(all_formats()[slug].parse(recorded(slug))) == expected


@pytest.mark.parametrize("slug", FORMATS)
def test_nothing_of_prompts_and_completions_remains(slug: str) -> None:
    kept = json.dumps(facts(all_formats()[slug].parse(recorded(slug))))
    words = ("invoice", "contract end", "31 March", "notice", "apples", "Question", "Which team", "names the day")
    assert [word for word in words if word in kept] == []


@pytest.mark.parametrize("slug", FORMATS)
@given(cut=st.integers(0, 6_000), noise=st.binary(max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_a_sentence(slug: str, cut: int, noise: bytes) -> None:
    *rest, last = recorded(slug)
    with last.open() as file:
        body = file.read()
    try:
        all_formats()[slug].parse([*rest, source(last.name, body[:cut] + noise + body[cut + len(noise) :])])
        all_formats()[slug].parse([*rest, source(last.name, body[:cut])])
    except Unreadable:
        pass  # and nothing else


@pytest.mark.parametrize("slug", FORMATS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"{" * 100_000, b'{"results": ' + b"[" * 100_000, b"\xff\xfe\x00",
     b"PK\x03\x04garbage", b'{"results": {"results": [{"score": 1}]}}', b'{"eval": [], "samples": [1]}', b"1" * 5_000],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_with_a_sentence(slug: str, body: bytes) -> None:
    for name in ("results_x.json", "a.jsonl", "log.eval", "t.csv"):
        with pytest.raises(Unreadable, match=r"\.$"):
            all_formats()[slug].parse([source(name, body)])


# promptfoo


def result(**fields: Any) -> dict[str, Any]:
    used = {"tokenUsage": {"prompt": 10, "completion": 5}}
    plain = {
        "promptIdx": 0, "testIdx": 0, "promptId": "p", "provider": {"id": "openai:gpt-5"}, "score": 1,
        "failureReason": 0, "vars": {"q": "one"}, "response": used, "cost": 0.5,
    }  # fmt: skip
    return plain | fields


def promptfoo(*results: dict[str, Any], lines: bool = False, **config: Any) -> Reading:
    if lines:
        return all_formats()["promptfoo"].parse([source("o.jsonl", "\n".join(map(json.dumps, results)).encode())])
    document = {"evalId": "e", "results": {"version": 3, "results": list(results)}, "config": config}
    return all_formats()["promptfoo"].parse([source("output.json", json.dumps(document).encode())])


def test_an_effort_of_promptfoo_is_that_of_its_own_entry() -> None:
    name, high = "openai:chat:gpt-5", {"config": {"reasoning_effort": "high"}}
    plain, labelled = {"id": name, "label": ""}, {"id": name, "label": "hi"}
    runs = promptfoo(
        result(provider=plain, promptIdx=0), result(provider=labelled, promptIdx=1),
        providers=[{"id": name}, {**labelled, **high}],
    ).runs  # fmt: skip
    assert [run.effort for run in runs] == ["", "high"]
    two = [result(provider=plain, promptIdx=place, score=place) for place in (0, 1)]
    low = {"config": {"reasoning_effort": "low"}}
    runs = promptfoo(*two, providers=[{"id": name, **low}, {name: high}]).runs
    assert [(run.effort, [int(one.score) for one in run.answers]) for run in runs] == [("low", [0]), ("high", [1])]
    assert len({run.identity for run in runs}) == 2
    with pytest.raises(Unreadable, match="label each"):
        promptfoo(two[0], providers=[{"id": name, **low}, {"id": name, **high}])


def test_a_label_or_an_id_that_one_entry_alone_has_finds_its_effort() -> None:
    high = {"config": {"reasoning_effort": "high"}}
    one = {"id": "openai:chat:gpt-5", "label": "hi", **high}
    for provider in ({"id": "openai:gpt-5", "label": "hi"}, {"id": "openai:chat:gpt-5"}):
        assert [run.effort for run in promptfoo(result(provider=provider), providers=[one]).runs] == ["high"]
    other = {"id": "openai:chat:gpt-5", "label": "another"}
    assert [run.effort for run in promptfoo(result(provider=other), providers=[one]).runs] == [""]


def test_the_same_test_is_the_same_item_whatever_its_place_and_a_repeat_of_itself() -> None:
    one = promptfoo(result(testIdx=0), result(testIdx=7), result(testIdx=1, vars={"q": "two"})).runs[0]
    other = promptfoo(result(testIdx=3, vars={"q": "two"}), lines=True).runs[0]
    assert [answer.epoch for answer in one.answers] == [1, 2, 1]
    assert one.answers[0].key == one.answers[1].key
    assert other.answers[0].key == one.answers[2].key


def test_other_assertions_are_another_item() -> None:
    easy, hard = ({"assert": [{"type": kind, "value": "x"}]} for kind in ("icontains", "equals"))
    one, two = promptfoo(result(testCase=easy), result(testCase=hard)).runs[0].answers
    assert one.key != two.key


def test_each_provider_label_and_prompt_is_a_run() -> None:
    labelled = {"id": "openai:gpt-5", "label": "brief"}
    runs = promptfoo(result(), result(provider=labelled), result(promptId="q"), result(provider="openai:gpt-5")).runs
    assert [(run.model, len(run.answers)) for run in runs] == [
        ("openai:gpt-5", 2), ("openai:gpt-5 (brief)", 1), ("openai:gpt-5", 1),
    ]  # fmt: skip
    assert runs[0].task != runs[2].task


def test_an_error_of_the_provider_is_no_score_and_a_wrong_answer_is_zero() -> None:
    run = promptfoo(
        result(failureReason=2, score=0, response={"error": "529"}), result(failureReason=1, score=0, vars={"q": "two"})
    ).runs[0]
    assert run.unscored == 1
    assert [answer.score for answer in run.answers] == [0]


def test_a_cached_answer_and_a_cost_of_nothing_are_of_unknown_cost() -> None:
    run = promptfoo(
        result(response={"cached": True, "tokenUsage": {"total": 15, "cached": 15}}, cost=0), result(cost=0)
    ).runs[0]
    assert [(one.cost_usd, one.output_tokens) for one in run.answers] == [(None, None), (None, 5)]


# Inspect


def eval_log(files: dict[str, Any], compression: int = zipfile.ZIP_DEFLATED) -> Source:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return source("log.eval", body.getvalue())


@pytest.fixture
def log() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / "inspect" / "log.json").read_text())
    return found


def parsed(*sources: Source) -> dict[str, Any]:
    found = facts(all_formats()["inspect"].parse(sources))
    found["runs"] = [run | {"source": ""} for run in found["runs"]]
    return found


def zipped(log: dict[str, Any], *, summaries: bool) -> dict[str, Any]:
    header = {name: value for name, value in log.items() if name != "samples"}
    told = ("id", "epoch", "scores", "model_usage")
    samples: dict[str, Any] = {f"samples/{n}_epoch_{one['epoch']}.json": one for n, one in enumerate(log["samples"])}
    if summaries:
        samples["summaries.json"] = [{name: one[name] for name in told} for one in log["samples"]]
    return {
        "_journal/start.json": {"version": 2, "eval": log["eval"], "plan": log["plan"]},
        "header.json": header,
    } | samples


def test_an_eval_log_says_what_the_json_log_says_with_and_without_summaries(log: dict[str, Any]) -> None:
    plain = parsed(source("log.json", json.dumps(log).encode()))
    assert parsed(eval_log(zipped(log, summaries=True))) == plain
    assert parsed(eval_log(zipped(log, summaries=False))) == plain


def test_a_zstd_log_is_refused_with_the_command_that_converts_it(log: dict[str, Any]) -> None:
    made = eval_log(zipped(log, summaries=True), zipfile.ZIP_STORED)
    with made.open() as file:
        body = bytearray(file.read())
    at = body.rindex(b"PK\x01\x02")
    body[at + 10 : at + 12] = (93).to_bytes(2, "little")
    with pytest.raises(Unreadable, match=r"inspect log convert log\.eval --to json"):
        parsed(source("log.eval", bytes(body)))


def test_a_log_with_the_nan_and_infinity_that_inspect_writes_is_read_and_what_they_stand_for_is_unknown(
    log: dict[str, Any],
) -> None:
    plain = parsed(source("log.json", json.dumps(log).encode()))
    log["results"]["scores"][0]["metrics"]["stderr"]["value"] = float("nan")
    for one in log["samples"]:
        one["output"] = {"choices": [{"logprobs": {"content": [{"logprob": float("-inf"), "token": "NaN, "}]}}]}
        one["total_time"] = float("inf")
    assert parsed(source("log.json", json.dumps(log).encode())) == plain
    assert parsed(eval_log(zipped(log, summaries=False))) == plain
    (run,) = parsed(source("log.json", json.dumps(log | {"samples": []}).encode()))["runs"]
    assert (run["mean"], run["se"]) == ("0.437500000", None)


@pytest.mark.parametrize("missing", [float("nan"), None, float("-inf")])
def test_a_score_that_is_null_or_nan_is_unscored_and_its_measure_stays(log: dict[str, Any], missing: object) -> None:
    samples = [{"id": n, "epoch": 1, "scores": {"m": {"value": "C"}, "two": {"value": {"a": 1, "b": 0}}},
                "model_usage": {}} for n in range(3)]  # fmt: skip
    samples[0]["scores"] = {"m": {"value": missing}, "two": {"value": {"a": missing, "b": 0}}}
    samples[1]["scores"] = {"m": {"value": "I"}, "two": {"value": missing}}
    log["samples"] = samples
    for one in (source("log.json", json.dumps(log).encode()), eval_log(zipped(log, summaries=True))):
        found = parsed(one)
        told = [(run["metric"], run["unscored"], run["answers"]) for run in found["runs"]]
        assert told == [
            ("two/b", 1, ["0 1 0 None None None", "2 1 0 None None None"]),
            ("m", 1, ["1 1 0 None None None", "2 1 1 None None None"]),
            ("two/a", 2, ["2 1 1 None None None"]),
        ]
        assert found["left_out"] == {"scores that are null or NaN: their scorer gave none": 3}


def test_a_measure_of_which_a_part_is_a_list_or_on_another_scale_is_still_left_out(log: dict[str, Any]) -> None:
    log["samples"] = [{"id": n, "scores": {"m": {"value": one}, "n": {"value": 1}}} for n, one in enumerate([1, [1]])]
    found = parsed(source("log.json", json.dumps(log).encode()))
    assert [run["metric"] for run in found["runs"]] == ["n"]


@pytest.mark.parametrize("status", ["cancelled", "error", "started"])
def test_a_log_that_did_not_finish_is_no_fair_part(log: dict[str, Any], status: str) -> None:
    with pytest.raises(Unreadable, match="inspect eval-retry"):
        parsed(source("log.json", json.dumps(log | {"status": status}).encode()))


def test_a_zip_that_unpacks_to_more_than_any_log_is_refused_unread(log: dict[str, Any]) -> None:
    bomb = eval_log(zipped(log, summaries=True) | {"header.json": " " * (80 << 20)})
    with pytest.raises(Unreadable, match="unpacks to more"):
        parsed(bomb)


def test_a_log_without_samples_gives_the_mean_it_states(log: dict[str, Any]) -> None:
    (run,) = parsed(source("log.json", json.dumps(log | {"samples": []}).encode()))["runs"]
    assert (run["mean"], run["se"], run["items"], run["answers"]) == ("0.437500000", "0.213000000", 9, [])


# lm-evaluation-harness


def test_samples_alone_name_no_model() -> None:
    with pytest.raises(Unreadable, match="which model"):
        all_formats()["lm_eval"].parse([one for one in recorded("lm_eval") if one.name.startswith("samples")])


def test_samples_go_to_the_results_of_their_own_date() -> None:
    files = {one.name: one for one in recorded("lm_eval")}
    results = json.loads(files["results_2026-11-07T08-30-12.512345.json"].open().read())
    other = source("results_2026-11-08T08-30-12.512345.json", json.dumps(results | {"model_name": "other"}).encode())
    reading = all_formats()["lm_eval"].parse([other, *files.values()])
    assert {run.model for run in reading.runs if run.answers} == {"meta-llama/Llama-3.1-8B-Instruct"}
    stray = source("samples_gsm8k_2026-11-09T08-30-12.512345.jsonl", b'{"doc_id": 0, "exact_match": 1.0}')
    with pytest.raises(Unreadable, match="choose both of one run"):
        all_formats()["lm_eval"].parse([other, *files.values(), stray])


# CSV


def table(text: str) -> Iterable[RunFacts]:
    return all_formats()["csv"].parse([source("quality.csv", text.encode())]).runs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("item,model\na,b\n", "no column score. Needed: item, model, score; understood too: suite"),
        ("item,model,score,correct\na,b,1,1\n", "has the column score twice"),
        ("item,model,score\na,b,1.2\n", "Line 2 of quality.csv: the score is '1.2'; it must lie between 0 and 1"),
        ("item,model,score\na,b,inf\n", "the score is 'inf'"),
        ("item,model,score\na,b,error\n", "the score is 'error'"),
        ("item,model,score\na,b\n", "not as many cells"),
        ("item,model,score\n,b,1\n", "Line 2 of quality.csv has no item"),
        ("item,model,score\na,,1\n", "Line 2 of quality.csv has no model"),
        ("item,model,score,cost_usd\na,b,1,-2\n", "cost_usd is '-2'; write a number of 0 or more"),
        ("item,model,score,output_tokens\na,b,1,2.5\n", "output_tokens is '2.5'"),
        ("item,model,score,run_date\na,b,1,yesterday\n", "run_date is 'yesterday'; write a day such as 2026-11-03"),
        ("item,model,score\n", "no lines below its header"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        table(text)


def test_an_answer_without_a_score_is_unscored_and_neither_right_nor_wrong() -> None:
    text = "item,model,score\na,m,1\nb,m,\nc,m,NaN\nd,m,N/A\na,m,0\nz,silent,\n"
    found = all_formats()["csv"].parse([source("quality.csv", text.encode())])
    assert [(run.model, [one.score for one in run.answers], run.unscored) for run in found.runs] == [
        ("m", [1, 0], 3), ("silent", [], 1),
    ]  # fmt: skip
    assert found.left_out == {"answers without a score": 4}


def test_a_table_may_use_semicolons_and_other_names_and_a_score_of_zero_is_one() -> None:
    (run,) = table("Question ID;Model name;Correct;Date\nq1;gpt-5;0;2026-11-03\nq2;gpt-5;true;2026-11-03\n")
    assert [one.score for one in run.answers] == [0, 1]
    assert run.suite == "quality"
    assert str(run.ran_on) == "2026-11-03"
