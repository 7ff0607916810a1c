"""The ECB's reference rates in both forms, and what is no such form."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

from pricing.sources import RateFact, SourceError
from pricing.sources.ecb_rates import bundled, parse

XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time="2026-10-30"><Cube currency="USD" rate="1.1172"/><Cube currency="CNY" rate="7.4326"/></Cube>
<Cube time="2026-10-29"><Cube currency="USD" rate="1.113"/><Cube currency="CNY" rate="7.4144"/></Cube></Cube>
</gesmes:Envelope>"""
CSV = "Date,USD,CNY,\n2026-10-30,1.1172,7.4326,\n2026-10-29,1.113,7.4144,\n"

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
) + ']><Cube><Cube time="2026-10-30"><Cube currency="USD" rate="&i;"/></Cube></Cube>'  # fmt: skip


def test_both_forms_say_the_same():
    reading = parse(XML.encode())
    assert reading == parse(CSV.encode())
    assert reading.rates == [
        RateFact("EUR", date(2026, 10, 30), Decimal("1.117200000000")),
        RateFact("CNY", date(2026, 10, 30), Decimal("0.150310792993")),
        RateFact("EUR", date(2026, 10, 29), Decimal("1.113000000000")),
        RateFact("CNY", date(2026, 10, 29), Decimal("0.150113293051")),
    ]


def test_a_rate_is_rounded_half_up_at_twelve_decimals():
    (_, rate) = parse(b"Date,USD,XXX\n2026-01-05,1,8000000.0001\n").rates
    assert rate.usd == (1 / Decimal("8000000.0001")).quantize(Decimal("1e-12"), ROUND_HALF_UP)
    (_, tie) = parse(b"Date,USD,XXX\n2026-01-05,0.000000000005,2\n").rates
    assert tie.usd == Decimal("0.000000000003")


@pytest.mark.parametrize("rate", ["0", "-7.4", "NaN", "Infinity", "7,4", "1e3", "７.4", "99999999.9999"])
def test_what_is_no_rate_is_counted_and_never_zero(rate):
    reading = parse(f'Date,USD,CNY\n2026-01-05,0.0000000001,"{rate}"\n'.encode())
    assert [fact.currency for fact in reading.rates] == ["EUR"]
    assert reading.unplaced == {"rate that is no rate": 1}


def test_a_declared_document_type_is_refused_before_anything_is_expanded():
    for body in (BOMB, '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Cube/>'):
        with pytest.raises(SourceError, match="document type"):
            parse(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "Date,JPY\n2026-10-30,175\n", "Date,USD\nyesterday,1.1\n", "Date,USD\n", "USD,Date\n", XML[:-30],
        XML.replace("2026-10-", "2026-99-"), XML.replace("USD", "JPY"), "<a>" * 50_000, "Date,USD\n\x00,1\n",
    ],
)  # fmt: skip
def test_another_layout_is_a_source_error(body):
    with pytest.raises(SourceError):
        parse(body.encode())


def test_the_bundle_states_yuan_and_euro_of_every_day_and_the_others_of_a_year():
    bundle = bundled()
    assert bundle.observed_at == datetime(2026, 10, 30, 16, tzinfo=UTC)
    rates = {(fact.currency, fact.day): fact.usd for fact in parse(bundle.body).rates}
    assert rates["CNY", date(2026, 10, 30)] == Decimal("0.150310792993")
    assert rates["EUR", date(2020, 1, 2)] == Decimal("1.119300000000")
    assert ("CNY", date(2020, 1, 2)) in rates
    assert ("JPY", date(2025, 10, 30)) in rates
    assert ("JPY", date(2025, 10, 28)) not in rates
    assert ("BRL", date(2026, 10, 30)) in rates
    assert len(rates) < 12_000  # what a first start loads
