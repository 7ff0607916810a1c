"""A page of every part, for tests only: its address, its figures and its evidence."""

from datetime import UTC, datetime
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import include, path

from dashboards import formatting
from dashboards.views import catalogue_page

EVIDENCE: dict[str, Any] = {
    "title": "Evidence for one price",
    "figure": "$0.15",
    "unit": "per Mtok",
    "subject": "DeepSeek, deepseek-v4-flash, input, standard tier, off-peak",
    "why": "The vendor’s release note dates it and two curated sources agree. One aggregator says $0.44.",
    "times": [("Held in the world", "from 10 Sep 2026, 06:00, open"), ("Start known by", "documented")],
    "says": [
        ("genai-prices", "0.15", False, "16 Nov"),
        ("model-prices", "0.15", False, "16 Nov"),
        ("LiteLLM", "0.44", True, "1 Sep"),
    ],
    "windows": [("01:00–04:00", "$0.30", "?evidence=813"), ("Otherwise", "$0.15, and all day at weekends", "")],
    "checks": ["https://api-docs.deepseek.com/news/news260910"],
    "hash": "genai-prices 0.2.3, sha256 5f4d8e175a91cf23cac17da33a4daa60a6a6c49525109c97e93db220d5197206",
    "actions": [("Open snapshot", "#snapshot")],
}
HOSTS = [
    ("QuickSilver Pro", D("0.06"), D("0.18"), D("0.015")),
    ("OpenRouter", D("0.105"), D("0.21"), D("0.021")),
    ("Avian", D("0.14"), D("0.28"), D("0.0028")),
    ("Doubleword", D("0.14"), D("0.28"), None),
    ("Zhipu", D("0"), D("0"), D("0")),
]
MONTHS = ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]


def bars(request: HttpRequest) -> HttpResponse:
    def series(name: str, n: int, values: list[float]) -> dict[str, Any]:
        colour = f"var(--series-{n})"
        return {"type": "bar", "name": name, "x": MONTHS, "y": values, "marker": {"color": colour}}

    stack = [
        series("Coding agents", 1, [3600, 4000, 4200, 4500, 5100, 5784]),
        series("Claims triage", 2, [3900, 3700, 3200, 3300, 3400, 3521]),
        series("Policy search", 3, [600, 620, 640, 650, 700, 716]),
    ]
    axis = {"tickvals": [0, 4000, 8000], "ticktext": ["0", "$4k", "$8k"]}
    note = {"x": "Oct", "y": 1, "yref": "paper", "text": "20 Oct: discount ends", "showarrow": False}
    layout = {"barmode": "stack", "bargap": 0.2, "height": 352, "yaxis": axis, "annotations": [note]}
    narrow = {**layout, "height": 300, "annotations": []}
    return JsonResponse({"wide": {"data": stack, "layout": layout}, "narrow": {"layout": narrow}})


def step(request: HttpRequest) -> HttpResponse:
    x = [0.1, 0.14, 0.24, 0.54, 1.5, 4, 100]
    y = [1352, 1439, 1475, 1480, 1496, 1524, 1524]
    line = {"color": "var(--accent)", "width": 2, "shape": "hv"}
    data = [
        {
            "type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip",
            "fill": "tozeroy", "fillcolor": "alpha(--accent, 0.06)",
        },
        {
            "type": "scatter", "mode": "markers+text", "x": x[:-1], "y": y[:-1],
            "text": ["gpt-oss-120b", "DeepSeek V4 Flash", "GLM-5.3-Flash", "", "Gemini 3.8", "Gemini 4"],
            "cliponaxis": False, "textposition": "top left", "textfont": {"color": "var(--accent)"},
            "error_y": {"type": "data", "array": [4, 4, 6, 9, 5, 9], "color": "var(--accent)", "width": 0},
            "marker": {"size": 10, "color": "var(--accent)", "line": {"color": "var(--paper)", "width": 1.5}},
        },
    ]  # fmt: skip
    ticks = {
        "type": "log",
        "tickvals": [0.1, 1, 10, 100],
        "ticktext": ["$0.1", "$1", "$10", "$100"],
        "range": [-1.7, 2],
    }
    layout = {"height": 420, "xaxis": ticks, "yaxis": {"range": [1330, 1540]}}
    return JsonResponse({"wide": {"data": data, "layout": layout}})


@catalogue_page
def parts(request: HttpRequest) -> HttpResponse:
    if request.GET.get("part") == "evidence":
        return render(request, "partials/evidence.html", {"evidence": EVIDENCE})
    columns = list(zip(*HOSTS, strict=True))[1:]
    context = {
        "hosts": [SimpleNamespace(name=n, input=i, output=o, cached=c) for n, i, o, c in HOSTS],
        "decimals": [formatting.decimals_of(column) for column in columns],
        "evidence": EVIDENCE,
        "options": [
            {"label": "standard", "url": "?tier=standard", "is_current": True},
            {"label": "batch", "url": "?tier=batch", "note": "−50%"},
        ],
        "page_obj": Paginator(range(2330), 50).page(2),
        "now": datetime(2026, 11, 16, 6, 2, tzinfo=UTC),
        "spend": D("11253.85"),
        "before": D("10906.10"),
        "known": D("0.993"),
        "third": D("0.46"),
        "half": D("0.5"),
        "ratio": D("5.3"),
        "low": D("7421"),
        "high": D("11080"),
        "trend": [3, 4, 4, None, 5, 6, 5, 7],
    }
    return render(request, "parts.html", context)


urlpatterns = [
    path("", include("dashboards.urls")),
    path("parts", parts, name="models"),
    path("parts/bars.json", bars),
    path("parts/step.json", step),
    path("parts/broken.json", lambda request: HttpResponse(status=500)),
]
