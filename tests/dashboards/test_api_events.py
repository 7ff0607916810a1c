"""`POST /api/v1/usage/events`: once by id, never content, the token's organisation and no other."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboards import access
from tests.usage.factories import make_card, make_offering, make_organisation, make_project, make_rule
from usage.content import content_in, without_content
from usage.ingest import uploads
from usage.models import Connection, ImportBatch, Organisation, UsageRecord


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {
        "id": f"req-{number}", "at": "2026-11-01T09:30:00Z", "provider": "seller", "model": "model-a",
        "input": 1_000_000, "cache_read": 0, "cache_write": 0, "output": 0, "project": "search",
    }  # fmt: skip
    return {name: value for name, value in (fields | changes).items() if value is not None}


def token_of(organisation: Organisation, role: str = "member", **fields: Any) -> str:
    return access.create_token("checkout", role, organisation=organisation, **fields)[1]


def post(token: str, body: Any) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Authorization": f"Bearer {token}"}
    response = Client().post("/api/v1/usage/events", text, content_type="application/json", headers=headers)
    return response.status_code, response.json()


def counts(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    return answer["lines"], answer["imported"], answer["updated"], answer["duplicate"]


def ledger(organisation: Organisation) -> list[tuple[Any, ...]]:
    rows = UsageRecord.objects.filter(organisation=organisation).order_by("record_key")
    return list(rows.values_list("record_key", "in_uncached", "in_cache_read", "out_total", "list_cost"))


@pytest.mark.django_db
def test_events_are_rated_and_attributed_and_their_files_are_gone(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    organisation = make_organisation()
    project = make_project(organisation, "search")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "search"}], {project.pk: "1"})
    make_card(make_offering("model-a"))
    status, answer = post(token_of(organisation), {"events": [event(1), event(2, project="other", model="nobody")]})
    assert (status, counts(answer)) == (200, (2, 2, 0, 0))
    assert (answer["unpriced"], answer["unattributed"], answer["errors"]) == (1, 1, [])
    assert [(key, str(cost)) for key, *_, cost in ledger(organisation)] == [
        ("req-1", "1.000000000000"), ("req-2", "None"),
    ]  # fmt: skip
    assert Connection.objects.get(organisation=organisation).scope == "checkout"
    assert [path for path in uploads.folder().iterdir() if path.is_file()] == []


@pytest.mark.django_db
def test_the_same_events_again_change_nothing() -> None:
    organisation = make_organisation()
    token = token_of(organisation)
    post(token, {"events": [event(1), event(2)]})
    before = ledger(organisation)
    _, answer = post(token, {"events": [event(2), event(1), event(1)]})
    assert counts(answer) == (3, 0, 0, 3)
    assert ledger(organisation) == before


@pytest.mark.django_db
def test_a_greater_revision_replaces_an_event_whatever_it_counts_and_in_whatever_order() -> None:
    one, other = make_organisation(), make_organisation()
    revisions = [event(1, revision=1, input=10), event(1, input=99), event(1, revision=1, input=10)]
    for organisation, order in ((one, revisions), (other, revisions[::-1])):
        for sent in order:
            post(token_of(organisation), {"events": [sent]})
    assert [tokens for _, tokens, *_ in ledger(one)] == [tokens for _, tokens, *_ in ledger(other)] == [10]


@pytest.mark.django_db
def test_one_id_in_two_scopes_or_two_organisations_is_two_events() -> None:
    one, other = make_organisation(), make_organisation()
    post(token_of(one), {"events": [event()], "scope": "a"})
    post(token_of(one), {"events": [event()], "scope": "b"})
    post(token_of(other), {"events": [event()], "scope": "a"})
    assert (len(ledger(one)), len(ledger(other))) == (2, 1)


@pytest.mark.django_db
def test_inclusive_and_disjoint_counts_come_to_the_same() -> None:
    organisation = make_organisation()
    inclusive = {"input": None, "output": None, "input_including_cache": 900, "output_excluding_reasoning": 30}
    post(
        token_of(organisation),
        {
            "events": [
                event(1, input=500, cache_read=300, cache_write=100, output=50, reasoning=20),
                event(2, cache_read=300, cache_write=100, reasoning=20, **inclusive),
            ]
        },
    )
    first, second = ledger(organisation)
    assert first[1:] == second[1:]


CONTENT = [
    {"prompt": "hello"}, {"completion": "hello"}, {"messages": []}, {"content": [{"type": "text"}]},
    {"tags": {"prompt": "hello"}}, {"tags": {"a": {"b": [{"Messages": "x"}]}}}, {"systemPrompt": "x"},
    {"gen_ai.completion": "x"}, {"output": "Dear reader"}, {"input": ["hello"]}, {"input_text": "x"},
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("field", CONTENT, ids=lambda field: next(iter(field)))
def test_content_at_any_depth_refuses_the_whole_call_and_is_not_repeated(field: dict[str, Any]) -> None:
    organisation = make_organisation()
    status, answer = post(token_of(organisation), {"events": [event(1), event(2, **field)]})
    assert status == 422
    assert "content is never taken" in answer["detail"]
    assert "hello" not in json.dumps(answer)
    assert ledger(organisation) == []
    assert not ImportBatch.objects.exists()


@pytest.mark.django_db
def test_a_bad_event_is_named_with_its_place_and_the_others_are_taken() -> None:
    organisation = make_organisation()
    bad = [event(2, prompt_tokens=3), event(3, at="2026-11-01"), event(4, cost="1.5"), event(5, input=-1), 7]
    status, answer = post(token_of(organisation), {"events": [event(1), *bad]})
    assert (status, counts(answer), sum(answer["rejected"].values())) == (200, (6, 1, 0, 0), 5)
    assert [(fault["index"], fault["id"]) for fault in answer["errors"]] == [
        (1, "req-2"), (2, "req-3"), (3, "req-4"), (4, "req-5"), (5, None),
    ]  # fmt: skip
    assert answer["errors"][0]["sentence"] == "There is no field 'prompt_tokens': write input_including_cache."
    assert answer["errors"][2]["sentence"] == "A cost needs its currency in three letters, such as USD."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"at": "9999-12-31T23:30:00Z", "grain": "1h"}, "at is not between 2015 and 2100."),
        ({"at": "9999-12-31T00:00:00Z", "grain": "1mo"}, "at is not between 2015 and 2100."),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at is not between 2015 and 2100."),
        ({"grain": "1d", "until": "9999-12-31T00:00:00Z"}, "until is not between 2015 and 2100."),
        ({"input": 1.5}, "input is a whole number from 0 on."),
        ({"cost": 1.25, "currency": "ßßß"}, "A cost needs its currency in three letters, such as USD."),
    ],
)  # fmt: skip
def test_an_event_beyond_belief_is_named_and_stops_no_other(field: dict[str, Any], sentence: str) -> None:
    status, answer = post(token_of(make_organisation()), {"events": [event(1), event(2, **field), event(3)]})
    assert (status, counts(answer)) == (200, (3, 2, 0, 0))
    assert answer["errors"] == [{"index": 1, "id": "req-2", "sentence": sentence}]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), (b"\xff", 400), ("[" * 100_000, 400), ('{"events": [NaN]}', 400), ([], 422), ({"events": []}, 422),
        ({"events": [event()] * 1_001}, 422), ({"events": [event()], "scope": 3}, 422),
        ({"events": [event()], "scope": "x" * 201}, 422), ({"events": [event()], "more": 1}, 422),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused_with_a_sentence(body: Any, status: int) -> None:
    got, answer = post(token_of(make_organisation()), body)
    assert (got, bool(answer["detail"])) == (status, True)
    assert not ImportBatch.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [("viewer", (), 403), ("member", ("spend:read",), 403), ("member", ("usage:write",), 200), ("admin", (), 200)],
)
def test_only_a_token_that_may_write_usage_sends_events(role: str, scopes: tuple[str, ...], status: int) -> None:
    organisation = make_organisation()
    assert post(token_of(organisation, role, scopes=scopes), {"events": [event()]})[0] == status
    assert len(ledger(organisation)) == (status == 200)


@pytest.mark.django_db
def test_a_token_of_the_catalogue_and_no_token_send_nothing() -> None:
    catalogue_only = access.create_token("prices", "admin")[1]
    assert post(catalogue_only, {"events": [event()]})[0] == 403
    assert post("rc_wrong", {"events": [event()]})[0] == 401


@pytest.mark.django_db(transaction=True)
def test_one_batch_sent_by_several_at_once_counts_once() -> None:
    organisation = make_organisation()
    token, events = token_of(organisation), [event(number) for number in range(50)]
    answers: list[tuple[int, dict[str, Any]]] = []

    def send() -> None:
        try:
            answers.append(post(token, {"events": events}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [200] * 4
    assert sorted(answer["imported"] for _, answer in answers) == [0, 0, 0, 50]
    assert len(ledger(organisation)) == 50


DRAWN = st.lists(
    st.builds(event, st.integers(1, 4), input=st.integers(0, 9), revision=st.integers(0, 2), output=st.integers(0, 9)),
    min_size=1,
    max_size=8,
)


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=DRAWN, data=st.data())
def test_no_order_split_or_repetition_of_events_changes_the_ledger(sent: list[dict[str, Any]], data: Any) -> None:
    once, again = make_organisation(), make_organisation()
    post(token_of(once), {"events": sent})
    shuffled = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent), max_size=4))))
    cut = data.draw(st.integers(0, len(shuffled)))
    for part in (shuffled[:cut], shuffled[cut:]):
        if part:
            status, answer = post(token_of(again), {"events": part})
            assert (status, sum(counts(answer)[1:])) == (200, len(part))
    assert ledger(once) == ledger(again)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["a", "prompt", "output"]), part),
    max_leaves=10,
)


@given(JSON)
def test_what_is_left_without_content_holds_none(value: Any) -> None:
    assert content_in(without_content(value)) == ""
