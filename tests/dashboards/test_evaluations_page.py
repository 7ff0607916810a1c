"""Own evaluations in the browser: the finding by rule, verdicts against the current model, uploads by members only.

Alpha's suite `triage` has 300 items. `model-a` is the model alpha spends on, right 270 times. `cheap` fails one it gets
right and gets one right that it fails, at a tenth of the cost; `bad` fails a quarter more; `few` has 20 items.
"""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal as D
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dashboards import access
from dashboards.models import AuditEntry, Person
from pricing.models import Offering
from tests.dashboards.ledger_cast import World, client_of, world  # noqa: F401
from tests.dashboards.market_cast import make_price
from tests.usage.factories import make_offering
from usage import evaluations
from usage.evaluation_formats import Source
from usage.evaluation_points import Suite, interval, points
from usage.models import EvaluationRun, Project
from usage.own_measures import category_of, own_measures, slug_of

pytestmark = pytest.mark.django_db
HEAD = "suite,item,model,score,cost_usd,output_tokens,effort,run_date"


def put(project: Project, *lines: str) -> None:
    body = "\n".join([HEAD, *lines]).encode()
    evaluations.import_sources(project, "csv", [Source("t.csv", lambda: io.BytesIO(body))])


def lines_of(model: str, scores: list[int], cost: str = "", effort: str = "") -> list[str]:
    return [f"triage,i{n},{model},{score},{cost},100,{effort},2026-11-03" for n, score in enumerate(scores)]


@pytest.fixture
def suite(world: World) -> World:  # noqa: F811
    for sku in ("cheap", "bad", "few"):
        make_offering(sku)
    now = [int(n % 10 != 0) for n in range(300)]
    cheap = [1 - score if n in (5, 100) else score for n, score in enumerate(now)]
    bad = [score * int(n % 4 != 0) for n, score in enumerate(now)]
    for model, scores, cost in (
        ("seller/model-a", now, "0.01"), ("seller/cheap", cheap, "0.001"), ("seller/bad", bad, "0.0005"),
        ("seller/few", [1] * 17 + [0] * 3, ""),
    ):  # fmt: skip
        put(world.alpha, *lines_of(model, scores, cost))
    return world


def run_of(model: str) -> EvaluationRun:
    return EvaluationRun.objects.get(raw_name=f"seller/{model}")


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def finding_of(client: Client, url: str) -> str:
    html = client.get(url).content.decode()
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


def table_of(client: Client, url: str = "/evaluations") -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(client.get(f"{url}{'&' if '?' in url else '?'}format=csv").content.decode()))
    return {row["name"]: row for row in rows}


def test_the_finding_is_the_cheapest_model_that_is_as_good_as_the_one_in_use(suite: World) -> None:
    assert finding_of(suite.admin, "/evaluations") == "On triage cheap is as good as model-a, which costs 10× as much."
    scope = text_of(suite.admin.get("/evaluations").content.decode().split('class="scope"')[1][:600])
    assert "current model: model-a (most spent on, 30 days)" in scope
    assert "margin 3 points" in scope


def test_each_model_has_its_verdict_and_what_would_settle_it(suite: World) -> None:
    rows = table_of(suite.admin)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "model-a": "current", "cheap": "equal", "bad": "worse", "few": "not_enough_evidence",
    }  # fmt: skip
    assert int(rows["few"]["items_to_settle"]) > 20
    assert (rows["few"]["usd_per_answer"], D(rows["cheap"]["usd_per_answer"])) == ("", D("0.001"))
    html = text_of(suite.admin.get("/evaluations").content.decode())
    assert f"about {int(rows['few']['items_to_settle']):,} items would settle it" in html


def test_another_current_model_and_another_margin_are_in_the_address(suite: World) -> None:
    url = f"/evaluations?current={run_of('bad').pk}&margin=1"
    assert table_of(suite.admin, url)["cheap"]["verdict"] == "better"
    strict = f"/evaluations?current={run_of('model-a').pk}&margin=0.5"
    assert table_of(suite.admin, strict)["cheap"]["verdict"] == "not_enough_evidence"
    html = suite.admin.get("/evaluations?margin=lots&current=x").content.decode()
    assert "not “lots”" in html
    assert "number of a run" in html


def test_the_projects_own_margin_holds_and_is_set_in_its_settings(suite: World) -> None:
    url = f"/settings/projects/{suite.alpha.pk}"
    sent = {"name": "Alpha", "evaluation_margin": "0.5"}
    assert suite.admin.post(url, sent).status_code == 302
    assert table_of(suite.admin)["cheap"]["verdict"] == "not_enough_evidence"
    assert (AuditEntry.objects.latest("pk").after or {})["evaluation_margin"] == "0.0050"
    for nonsense in ("0", "100", "much", "-3", "NaN"):
        assert suite.admin.post(url, sent | {"evaluation_margin": nonsense}).status_code == 422
    suite.alpha.refresh_from_db()
    assert suite.alpha.evaluation_margin == D("0.005")


def test_two_models_beside_each_other(suite: World) -> None:
    url = f"/evaluations/compare?current={run_of('model-a').pk}&candidate={run_of('cheap').pk}"
    assert finding_of(suite.admin, url) == (
        "cheap is as good as model-a on triage: 0.0, and between −0.8 and +0.8 points, where 3 points are allowed."
    )
    text = text_of(suite.admin.get(url).content.decode())
    assert "both 269" in text
    assert "the current model only 1 the candidate only 1 neither 29" in text
    assert "Few items tell them apart Only 2 items are scored differently" in text
    current, candidate = csv.DictReader(io.StringIO(suite.admin.get(f"{url}&format=csv").content.decode()))
    assert (candidate["pairs"], candidate["won"], candidate["lost"], candidate["tied"]) == ("300", "1", "1", "298")
    assert (candidate["verdict"], current["verdict"]) == ("equal", "")
    figure = json.loads(suite.admin.get(url.replace("compare?", "compare/figure.json?")).content)
    mark = figure["wide"]["data"][0]
    assert mark["x"] == [0.0]
    assert mark["error_x"]["array"][0] == pytest.approx(0.779, abs=1e-3)


def test_runs_that_cannot_be_paired_say_why(suite: World) -> None:
    put(suite.alpha, *(f"triage,other{n},seller/far,{int(n % 10 != 0)},,,,2026-11-03" for n in range(300)))
    url = f"/evaluations/compare?current={run_of('model-a').pk}&candidate={run_of('far').pk}"
    text = text_of(suite.admin.get(url).content.decode())
    assert "Not paired The intervals of both runs are put together, as the two runs have no item in common" in text
    assert "A name without a model seller/far: no rule says which model that is." in text


def test_runs_of_other_suites_and_other_projects_are_not_compared(suite: World) -> None:
    put(suite.beta, *lines_of("seller/cheap", [1, 0]))
    put(suite.alpha, "other,i1,seller/cheap,1,,,,2026-11-03", "other,i2,seller/cheap,1,,,,2026-11-03")
    current = run_of("model-a").pk
    for run in EvaluationRun.objects.filter(raw_name="seller/cheap").exclude(project=suite.alpha, suite="triage"):
        assert suite.admin.get(f"/evaluations/compare?current={current}&candidate={run.pk}").status_code == 404


def test_who_sees_one_project_sees_its_evaluations_alone(suite: World) -> None:
    put(suite.beta, *lines_of("seller/secret", [1, 0]))
    theirs = run_of("secret").pk
    html = suite.alpha_only.get("/evaluations").content.decode()
    assert "secret" not in html
    assert "Read results" not in text_of(html).split("Read results", 1)[0]
    for url in (f"/evaluations/{theirs}", f"/evaluations/compare?current={theirs}&candidate={theirs}"):
        assert suite.alpha_only.get(url).status_code == 404
        assert suite.admin.get(url).status_code == 200
    assert suite.alpha_only.get("/evaluations?project=alpha").status_code == 200
    assert suite.alpha_only.get("/evaluations?project=beta").status_code == 404
    assert suite.admin.get("/evaluations?project=beta").status_code == 200
    for address in ("/evaluations", "/evaluations/figure.json"):
        assert suite.admin.get(f"{address}?project=nobody").status_code == 404


# Uploads


def upload(
    client: Client, body: bytes = b"item,model,score\na,m,1\nb,m,0\n", name: str = "t.csv", **fields: str
) -> Any:
    sent = {"project": "alpha", "format": "csv", "suite": ""} | fields
    return client.post("/evaluations/import", sent | {"files": SimpleUploadedFile(name, body)})


def member(world: World, role: str, project: Project | None) -> Client:  # noqa: F811
    person = Person.objects.create_user(f"{role}-{project}@acme.example".lower())
    access.grant(person, role, world.organisation, project)
    return client_of(person)


def test_a_member_reads_files_into_their_project_and_the_log_says_so(world: World) -> None:  # noqa: F811
    mia = member(world, "member", world.alpha)
    answer = upload(mia, suite="quick")
    assert answer.status_code == 302
    assert answer["Location"] == "/evaluations?project=alpha&suite=quick&metric=score&task="
    assert "1 new run in Alpha." in text_of(mia.get(answer["Location"]).content.decode())
    run = EvaluationRun.objects.get()
    assert (run.project, run.imported_by, run.source_name) == (world.alpha, "member-alpha@acme.example", "t.csv")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.subject, (entry.after or {})["new"]) == ("read evaluations", "t.csv", 1)
    assert upload(mia, project="beta").status_code == 422
    assert EvaluationRun.objects.count() == 1


def test_viewers_look_and_do_not_upload(world: World) -> None:  # noqa: F811
    vic = member(world, "viewer", None)
    assert upload(vic).status_code == 404
    assert 'name="files"' not in vic.get("/evaluations").content.decode()
    assert not EvaluationRun.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"body": b"item,model\na,b\n"}, "no column score"),
        ({"format": "nonsense"}, "There is no format “nonsense”"),
        ({"format": "inspect", "body": b"{}"}, "it names no task and model"),
        ({"body": b"\x00\xff"}, "no CSV in UTF-8"),
    ],
)
def test_a_refused_file_is_told_at_the_form(world: World, fields: dict[str, Any], sentence: str) -> None:  # noqa: F811
    answer = upload(world.admin, **fields)
    assert answer.status_code == 422
    assert sentence in text_of(answer.content.decode())
    assert not EvaluationRun.objects.exists()


def test_too_large_an_upload_is_refused_before_it_is_read(world: World, monkeypatch: Any) -> None:  # noqa: F811
    monkeypatch.setattr("dashboards.views.evaluation_changes.LARGEST", 1 << 20)
    answer = upload(world.admin, body=b"x" * (3 << 20))
    assert answer.status_code == 413
    assert "read them with manage.py import_evaluation" in answer.content.decode()


def test_a_run_tells_where_it_comes_from_and_can_be_taken_away(suite: World) -> None:
    run = run_of("cheap")
    text = text_of(suite.admin.get(f"/evaluations/{run.pk}").content.decode())
    assert "cheap scored 90.0 of 100 on triage." in text
    assert run.source_sha256 in text
    items = list(csv.DictReader(io.StringIO(suite.admin.get(f"/evaluations/{run.pk}?format=csv").content.decode())))
    assert len(items) == 300
    assert suite.alpha_only.post(f"/evaluations/{run.pk}/remove").status_code == 404
    assert suite.admin.post(f"/evaluations/{run.pk}/remove").status_code == 302
    assert not EvaluationRun.objects.filter(pk=run.pk).exists()
    assert AuditEntry.objects.latest("pk").action == "removed an evaluation"


# Names


def test_a_member_says_what_a_name_means_and_takes_it_back(world: World) -> None:  # noqa: F811
    put(world.alpha, *lines_of("house", [1, 0]))
    assert finding_of(world.admin, "/evaluations/names") == "1 of 1 name means no known model."
    assert "1 name means no known model" in text_of(world.admin.get("/evaluations").content.decode())
    mia = member(world, "member", None)
    wrong = mia.post("/evaluations/names/decide", {"name": "house", "model": "no-such"})
    assert wrong.status_code == 422
    assert "The catalogue has no model “no-such”" in wrong.content.decode()
    assert mia.post("/evaluations/names/decide", {"name": "stranger", "model": "model-a"}).status_code == 422
    assert (
        mia.post("/evaluations/names/decide", {"name": "house", "model": "model-a", "effort": "low"}).status_code == 302
    )
    run = EvaluationRun.objects.get()
    assert run.model is not None
    assert (run.model.slug, run.effort, run.rule) == ("model-a", "low", "decided by a person")
    assert "member-none@acme.example" in mia.get("/evaluations/names").content.decode()
    assert mia.post("/evaluations/names/decide", {"name": "house", "do": "forget"}).status_code == 302
    assert EvaluationRun.objects.get().model is None
    vic = member(world, "viewer", None)
    assert vic.post("/evaluations/names/decide", {"name": "house", "model": "model-a"}).status_code == 404
    assert vic.get("/evaluations/names").status_code == 200


# The page as a whole


def test_the_empty_page_teaches_the_next_step(world: World) -> None:  # noqa: F811
    assert finding_of(world.admin, "/evaluations") == "No evaluation of your own has been read yet."
    html = world.admin.get("/evaluations").content.decode()
    assert "The same items for each model make the comparison sharp" in html
    assert 'name="files"' in html


def test_more_models_take_no_more_queries(suite: World, django_assert_max_num_queries: Any) -> None:
    suite.admin.get("/evaluations")
    with django_assert_max_num_queries(16):
        suite.admin.get("/evaluations")
    put(suite.alpha, *lines_of("seller/bad", [1, 0], effort="low"), *lines_of("seller/few", [1, 0], effort="high"))
    with django_assert_max_num_queries(16):
        suite.admin.get("/evaluations")


def test_the_figure_has_the_numbers_of_the_table(suite: World) -> None:
    figure = json.loads(suite.admin.get("/evaluations/figure.json").content)
    rows = table_of(suite.admin)
    drawn = figure["wide"]["data"][0]
    best_first = sorted(rows.values(), key=lambda row: -float(row["score"]))
    assert drawn["x"] == pytest.approx([float(row["score"]) * 100 for row in best_first])
    ends = [x + up for x, up in zip(drawn["x"], drawn["error_x"]["array"], strict=True)]
    assert ends == pytest.approx([float(row["high_90"]) * 100 for row in best_first])
    assert len(suite.admin.get("/evaluations/figure.json").content) < 300_000


# The API


def ask(world: World, person: Person | None = None, **asked: Any) -> Any:  # noqa: F811
    secret = access.create_token("reader", "viewer", person, world.organisation)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/evaluations", asked)


def test_a_program_reads_what_the_page_shows(suite: World) -> None:
    (found,) = ask(suite).json()["suites"]
    assert (found["project"], found["suite"], found["margin"]) == ("alpha", "triage", "0.03")
    assert [one["name"] for one in found["models"]] == ["model-a", "cheap", "few", "bad"]
    (judged,) = ask(suite, current=run_of("model-a").pk).json()["suites"]
    told = {one["name"]: one["against_current"] and one["against_current"]["verdict"] for one in judged["models"]}
    assert told == {"model-a": None, "cheap": "equal", "bad": "worse", "few": "not_enough_evidence"}
    rows = table_of(suite.admin)
    for one in judged["models"]:
        if one["against_current"]:
            assert one["against_current"]["low"] == pytest.approx(float(rows[one["name"]]["difference_low_90"]))


def test_a_program_of_one_project_has_its_evaluations_alone(suite: World) -> None:
    put(suite.beta, *lines_of("seller/secret", [1, 0]))
    pete = Person.objects.create_user("pete@acme.example")
    access.grant(pete, "viewer", suite.organisation, suite.alpha)
    assert {one["project"] for one in ask(suite, pete).json()["suites"]} == {"alpha"}
    assert ask(suite, pete, current=run_of("secret").pk).status_code == 422
    assert {one["project"] for one in ask(suite).json()["suites"]} == {"alpha", "beta"}


def test_a_question_that_makes_no_sense_is_told_where(suite: World) -> None:
    for asked, field in (({"margin": "2"}, "margin"), ({"current": "x"}, "current"), ({"model": "x"}, "query")):
        answer = ask(suite, **asked)
        assert answer.status_code == 422, asked
        assert field in answer.content.decode()


OWN = "/quality?benchmark=own:alpha%2Ftriage"


class TestBesidePrices:
    """A suite of one's own is a measure of quality like any benchmark, for those who may see its project."""

    @pytest.fixture
    def priced(self, suite: World) -> World:
        for sku, usd in (("model-a", "10"), ("cheap", "1"), ("bad", "0.5"), ("few", "3")):
            for unit in ("input", "output"):
                make_price(Offering.objects.get(sku=sku), unit, usd)
        return suite

    def test_the_curve_is_drawn_from_the_newest_run_of_each_model(self, priced: World) -> None:
        rows = table_of(priced.admin, OWN)
        assert {name: (D(row["rating"]), row["on_frontier"]) for name, row in rows.items()} == {
            "model-a": (D("90"), "no"), "few": (D("85"), "no"),
            "cheap": (D("90"), "yes"), "bad": (D("70"), "yes"),
        }  # fmt: skip
        ends = interval(run_of("cheap"))
        assert ends is not None
        assert (D(rows["cheap"]["rating_low"]), D(rows["cheap"]["rating_high"])) == (ends[0] * 100, ends[1] * 100)
        assert rows["cheap"]["votes"] == "300"
        html = priced.admin.get(OWN).content.decode()
        assert "whiskers are 90% intervals" in html
        assert "its 90% interval" in html

    def test_measured_cost_of_an_answer_is_the_other_axis(self, priced: World) -> None:
        costs = {name: D(row["usd_per_task"]) for name, row in table_of(priced.admin, f"{OWN}&axis=measured").items()}
        assert costs == {"model-a": D("0.01"), "cheap": D("0.001"), "bad": D("0.0005")}

    def test_it_is_a_choice_of_the_page_and_one_click_from_the_suite(self, priced: World) -> None:
        assert OWN in priced.admin.get("/quality").content.decode()
        assert OWN in priced.admin.get("/evaluations").content.decode()

    def test_strangers_do_not_learn_that_it_exists(self, priced: World, client: Client, settings: Any) -> None:
        settings.PUBLIC_CATALOG = True
        assert priced.alpha_only.get(OWN).status_code == 200
        for stranger in (client, priced.charlie):
            assert stranger.get(OWN).status_code == 404
            assert "own:" not in stranger.get("/quality").content.decode()

    def test_a_suite_that_is_not_there_is_said(self, priced: World) -> None:
        answer = priced.admin.get("/quality?benchmark=own:alpha%2Fnone")
        assert answer.status_code == 400
        assert "There is no benchmark “own:alpha/none”" in answer.content.decode()

    def test_variants_and_metrics_are_categories_that_do_not_mix(self, priced: World) -> None:
        head = "suite,item,model,score,task,metric"
        body = f"{head}\ntriage,i1,seller/bad,1,short,exact\ntriage,i1,seller/cheap,0,short,exact\n".encode()
        evaluations.import_sources(priced.alpha, "csv", [Source("u.csv", lambda: io.BytesIO(body))])
        own = own_measures(points(priced.alpha.organisation))["own:alpha/triage"]
        assert len(own.points) == 2
        for category, found in own.points.items():
            rows = table_of(priced.admin, f"{OWN}&category={quote_plus(category)}")
            assert {name: D(row["rating"]) for name, row in rows.items()} == {
                one.name: (one.value * 100).quantize(D("0.0001")) for one in found
            }  # fmt: skip

    def test_the_api_says_the_same_to_who_may_read_the_project(self, priced: World) -> None:
        url = "/api/v1/frontier?benchmark=own:alpha/triage"
        secret = access.create_token("t", "viewer", organisation=priced.organisation, scopes=["spend:read"])[1]
        answer = Client().get(url, headers={"Authorization": f"Bearer {secret}"})
        found = answer.json()
        assert {one["key"]: D(one["rating"]) for one in found["frontier"]} == {"cheap": D(90), "bad": D("70")}
        assert (found["benchmark"], found["unit"]) == ("own:alpha/triage", "% of own evaluation")
        assert answer["Cache-Control"] == "private, no-store"
        assert Client().get(url).status_code == 403
        narrow = access.create_token("n", "viewer", organisation=priced.organisation, scopes=["catalogue:read"])[1]
        assert Client().get(url, headers={"Authorization": f"Bearer {narrow}"}).status_code == 403


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=9), st.text(min_size=1, max_size=9)), unique=True
    )
)
def test_no_two_suites_have_one_address(named: list[tuple[str, str, str]]) -> None:
    suites = [Suite("alpha", *one) for one in named]
    assert len({(slug_of(one), category_of(one)) for one in suites}) == len(suites)
