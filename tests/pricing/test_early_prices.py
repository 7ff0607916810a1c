"""Early prices and days of release: what they promise, and that they stay in the past."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from pricing.acceptance import FIRST_SALE
from pricing.benchmarks import benchmarks, read_map
from pricing.catalog.offerings import released
from pricing.catalog.releases import releases, write_releases
from pricing.models import Claim, LanguageModel, Offering, Price
from pricing.quality import model_key
from pricing.sources import SourceError, Statement
from pricing.sources import early_prices as source

HEAD = "provider,sku,input,output,from,until,basis,gone,source,licence,url\n"
LINE = "openai,davinci,60,60,2021-11-20,2022-09-01,documented,,a list,MIT,https://example.org\n"


def bundled() -> list[Statement]:
    return source.parse(source.bundled().body).statements


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (LINE.replace("2022-09-01", ""), "Line 2 needs every cell"),
        (LINE.replace("2022-09-01", "2021-11-20"), "Line 2 ends before it begins"),
        (LINE.replace("60,60", "60,0"), "prices above zero"),
        (LINE.replace("documented", "guessed"), "basis is one of"),
        (LINE.replace("60,60", "60,much"), "not a table of early prices"),
        (LINE.replace("\n", ",more\n"), "and no more"),
        ("", "holds no prices"),
    ],
)
def test_a_line_that_is_no_early_price_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        source.parse((HEAD + line).encode())


def test_every_early_price_ends_in_the_past_and_says_where_it_stands() -> None:
    for stated in bundled():
        assert stated.effective_from is not None
        assert stated.effective_until is not None
        assert FIRST_SALE < stated.effective_from < stated.effective_until < source.bundled().observed_at
        assert stated.url.startswith("https://")
        assert stated.note.split(", ")[-1] in {"CC BY 4.0", "MIT", "fact"}


def test_the_spans_of_one_offering_do_not_overlap() -> None:
    spans: dict[tuple[str, str, str], list[tuple[datetime, datetime]]] = {}
    for stated in bundled():
        assert stated.effective_from is not None
        assert stated.effective_until is not None
        spans.setdefault((stated.provider, stated.sku, stated.unit), []).append(
            (stated.effective_from, stated.effective_until)
        )
    for own in spans.values():
        ordered = sorted(own)
        assert all(before[1] <= after[0] for before, after in zip(ordered, ordered[1:], strict=False))


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
class TestInTheCatalogue:
    def test_no_early_price_is_a_price_of_today(self) -> None:
        """Where a row begun by one still stands, another source states the same price without an end."""
        standing = Price.objects.filter(
            source__slug=source.SLUG, superseded_at=None, known_until=None, effective_until=None
        )
        for price in standing.select_related("claim"):
            still = Claim.objects.filter(
                offering=price.offering, unit=price.unit, amount=price.amount, effective_until=None
            )
            borrowed = Offering.objects.filter(aliases__name=price.offering.sku).exists()
            assert still.exists() or borrowed, price

    def test_an_early_price_is_heard_in_its_span(self) -> None:
        early = Claim.objects.filter(source__slug=source.SLUG)
        heard = 0
        for claim in early.select_related("offering"):
            assert claim.effective_from is not None
            held = Price.objects.standard().filter(
                offering=claim.offering, unit=claim.unit, superseded_at=None, known_until=None
            )
            (price,) = held.effective_at(claim.effective_from)
            assert price.amount == claim.amount, claim
            heard += 1
        assert heard == len(bundled())

    def test_what_is_gone_left_on_the_day_that_is_stated(self) -> None:
        gone = Offering.objects.get(provider__slug="openai", sku="davinci")
        assert gone.retired_at is not None
        assert gone.retired_at.date() == date(2024, 1, 4)
        assert not Price.objects.compared(gone.retired_at).filter(offering=gone).exists()
        assert Price.objects.compared(FIRST_SALE.replace(year=2023)).filter(offering=gone).exists()

    def test_every_model_of_the_table_has_its_day(self) -> None:
        days = dict(LanguageModel.objects.filter(key__in=releases()).values_list("key", "released_on"))
        assert days == releases()

    def test_writing_the_days_again_writes_nothing(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            write_releases()

    def test_the_table_goes_before_what_a_source_states(self) -> None:
        key, day = next(iter(releases().items()))
        LanguageModel.objects.filter(key=key).update(released_on=F("released_on") - 1)
        write_releases()
        assert LanguageModel.objects.get(key=key).released_on == day == released(key, [date(2021, 1, 1)])

    def test_a_day_before_tokens_were_on_sale_is_none(self) -> None:
        assert released("firmware/none", [date(1970, 1, 1), None]) is None
        assert released("firmware/none", [date(1970, 1, 1), date(2025, 8, 5)]) == date(2025, 8, 5)

    def test_a_maker_priced_from_the_release_on_has_no_early_price_later(self) -> None:
        """Else a price of later days would be taken to have held between the release and the first early one."""
        for claim in Claim.objects.filter(source__slug=source.SLUG).select_related("offering__model"):
            model = claim.offering.model
            if model.released_on and claim.offering.provider.slug == model.maker:
                own = Claim.objects.filter(source__slug=source.SLUG, offering=claim.offering)
                first = min(one.effective_from for one in own if one.effective_from)
                assert first.date() <= model.released_on, claim


def test_days_are_of_rated_models_by_the_names_of_the_maps() -> None:
    mapped = {
        model_key(line.model) for module in benchmarks().values() for line in read_map(module).values() if line.model
    }
    assert set(releases()) <= mapped | {"openai/text-davinci-003"}


def test_the_release_is_that_of_the_table_that_is_read() -> None:
    assert source.release() == source.bundled().version
