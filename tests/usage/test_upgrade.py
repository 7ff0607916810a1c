"""An upgrade of the ledger's tables leaves sums as the new release reckons them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.upgrading import migrated
from tests.usage.factories import make_card, make_fact, make_offering
from usage.models import ModelDailyCost, Organisation, Settlement
from usage.spending import report
from usage.verification import checks

pytestmark = pytest.mark.django_db


def test_days_that_a_release_sums_or_settles_otherwise_are_recomputed_with_its_migrations(import_facts) -> None:
    make_card(make_offering())
    organisation = Organisation.objects.create(slug="acme", name="Acme")
    import_facts([make_fact("a")], into=organisation, importer_slug="transcripts", detail=4)
    import_facts([make_fact("b")], into=organisation, importer_slug="gateway", detail=3)
    assert report(organisation, grades=False)["total"]["spent"] == "0.001200000000"
    Settlement.objects.all().delete()
    ModelDailyCost.objects.update(unpriced_requests=7)
    on_the_way = {"app_label": "usage", "name": "0001_initial"}  # the tables are not yet those of the release
    for other in ({"app_label": "pricing"}, {"app_label": "usage", "backwards": True}, on_the_way):
        migrated(**other, newest_of="usage")
        assert {found.check for found in checks()} == {"rollups", "feeds"}
    migrated("usage", newest_of="usage")
    assert not list(checks())
    assert Decimal(report(organisation, grades=False)["total"]["spent"]) == Decimal("0.0012")
