"""The sample workspace is advised something, and the numbers are those of its rows at the catalogue's prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db.models import Sum

from pricing.models import Price, Score
from usage import sample
from usage.advice import MONTH, Kind
from usage.models import Organisation, Project, UsageRecord
from usage.recommending import advise_all, sieving

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 16)
SINCE = ON - timedelta(days=30)


def plain_price(offering: int, unit: str) -> D:
    """Per token at the standard tier, as all evidence has it on the day."""
    at = datetime.combine(ON, datetime.min.time(), UTC)
    found = Price.objects.known_at().effective_at(at).standard().filter(superseded_at=None)
    price = found.get(offering=offering, unit=unit)
    return price.amount / price.per


def test_the_sample_is_advised_by_its_own_rows(db: None, catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.load(force=True, until=ON)
    organisation = Organisation.objects.get(is_sample=True)
    every = {one.project: one for one in advise_all(organisation, ON)}
    found = every["translation"].recommendations[0]
    assert found.kind is Kind.SUBSTITUTION
    project = Project.objects.get(organisation=organisation, slug="translation")
    rows = UsageRecord.objects.filter(
        organisation=organisation, offering=found.current.offering_id, dimension__ext_project__startswith="translation",
        occurred_at__gte=datetime.combine(SINCE, datetime.min.time(), UTC),
        occurred_at__lt=datetime.combine(ON, datetime.min.time(), UTC),
    )  # fmt: skip
    used = rows.aggregate(sent=Sum("in_uncached"), read=Sum("in_cache_read"), written=Sum("out_total"))
    assert used["read"] == 0  # so nothing hangs on caching

    def month(offering: int, times: dict[str, D]) -> D:
        sent = used["sent"] * plain_price(offering, "input") * times["input"]
        return ((sent + used["written"] * plain_price(offering, "output") * times["output"]) * MONTH / 30).quantize(
            D("1e-6")
        )

    once = {"input": D(1), "output": D(1)}
    paying = month(found.current.offering_id, once)
    low, high = ({one.unit: getattr(one, end) for one in found.factors} for end in ("low", "high"))
    assert found.paying.quantize(D("1e-6")) == paying
    assert abs(found.saving.low - (paying - month(found.candidate.offering_id, high))) < D("1e-5")
    assert abs(found.saving.high - (paying - month(found.candidate.offering_id, low))) < D("1e-5")
    ratings = [
        Score.objects.known_on("arena", "overall", ON).get(model__slug=one.model, effort=one.effort)
        for one in (found.current, found.candidate)
    ]
    [decisive] = [one for one in found.evidence if one.decides]
    assert decisive.value == pytest.approx(float(ratings[1].value - ratings[0].value))
    assert decisive.low is not None
    assert decisive.low > -float(project.quality_margin)
    monkeypatch.setattr(sieving, "TOLD", 10_000)
    unsieved = {one.project: one for one in advise_all(organisation, ON)}
    assert all(unsieved[slug].recommendations == advice.recommendations for slug, advice in every.items())
    assert all(advice.coverage.spent > 0 for advice in every.values())
    assert {one.reason for advice in every.values() for one in advice.refused} >= {"unknown_trait", "not_cheaper"}
