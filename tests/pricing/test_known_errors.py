"""The registry of known upstream errors: well-formed, and heard nowhere."""

import pytest

from pricing.catalog.known_errors import registry
from pricing.models import Claim, Disagreement, Price
from pricing.sources import all_sources, genai_prices, model_prices


def test_every_entry_names_a_source_a_wrong_amount_a_reason_and_a_page():
    entries = registry()
    assert entries
    keys = [(e.source, e.provider, e.sku, e.unit, e.service_tier, e.wrong) for e in entries]
    assert len(keys) == len(set(keys))
    for entry in entries:
        assert entry.source in all_sources()
        assert entry.right != entry.wrong
        assert len(entry.why) > 20
        assert entry.url.startswith("https://")


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("source", [genai_prices.SLUG, model_prices.SLUG])
def test_a_known_error_is_kept_named_and_never_a_price(source: str):
    wrong = {(e.provider, e.sku, e.unit, e.wrong) for e in registry() if e.source == source}
    claims = Claim.objects.filter(source__slug=source, offering__sku__in={sku for _, sku, _, _ in wrong})
    found = [
        claim for claim in claims.select_related("offering__provider")
        if (claim.offering.provider.slug, claim.offering.sku, claim.unit, claim.amount) in wrong
    ]  # fmt: skip
    assert len(found) == len(wrong)
    for claim in found:
        assert Disagreement.objects.get(claim=claim).state == Disagreement.State.KNOWN_ERROR
        assert not Price.objects.filter(claim=claim, superseded_at=None).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("sku", ["gpt-oss-120b", "gpt-oss-20b", "gpt-oss-safeguard-20b"])
def test_weights_that_their_maker_does_not_sell_have_no_price_at_the_maker(sku: str):
    sold = Price.objects.filter(offering__model__slug=sku, superseded_at=None, known_until=None)
    assert sold.exists()
    assert not sold.filter(offering__provider__slug="openai").exists()
